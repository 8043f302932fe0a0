"""The plates of the cars, from the project's plate renderer, as linear light with their size in metres."""
import pathlib
import sys
from dataclasses import dataclass
from typing import Tuple

import cv2
import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from render import Faces, render_plate  # noqa: E402

SIZES = {"us": (0.305, 0.152), "eu": (0.520, 0.112), "br": (0.400, 0.130)}
LEAST_CONTRAST = 105    # of 255, between strokes and ground: the plates of a demo are in good order


@dataclass
class Tag:
    """`image` float32 [h, w, 3] linear, `alpha` float32 [h, w]; `corners` of the plate proper in its pixels; `size` metres."""

    text: str
    region: str
    state: str
    image: np.ndarray
    alpha: np.ndarray
    corners: np.ndarray
    size: Tuple[float, float]


def contrast(plate):
    """Grey steps between the darkest and brightest tenth of the number's band."""
    grey = cv2.cvtColor(plate.image, cv2.COLOR_RGB2GRAY)
    (x0, y0), (x1, y1) = plate.corners[0], plate.corners[2]
    band = grey[int(y0 + 0.32 * (y1 - y0)):int(y0 + 0.72 * (y1 - y0)), int(x0 + 0.1 * (x1 - x0)):int(x0 + 0.9 * (x1 - x0))]
    low, high = np.percentile(band, (10, 85))
    return float(high - low)


def make_tag(rng, faces: Faces, region, state=None, pattern=None) -> Tag:
    """One plate, drawn again until it is well legible."""
    for _ in range(60):
        plate = render_plate(rng, faces, region=region, state=state, pattern=pattern, height=160, designs=None, frame=None if region == "us" else False)
        if contrast(plate) >= LEAST_CONTRAST and 4 <= len(plate.text) <= 8:
            break
    image = (np.float32(plate.image) / 255) ** 2.2
    return Tag(plate.text, plate.region, plate.state, image, np.float32(plate.alpha) / 255, plate.corners, SIZES[region])
