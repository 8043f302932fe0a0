"""The plates of the cars, from the project's plate renderer, as linear light with their size in metres."""
from dataclasses import dataclass
from typing import Tuple

import cv2
import numpy as np

from render import Faces, render_plate

SIZES = {"us": (0.305, 0.152), "eu": (0.520, 0.112), "br": (0.400, 0.130)}
UNUSED = set("IOQ")  # letters that most states leave out of their serials, because they look like digits
PLAIN_FONTS = ("saira-condensed", "saira-extra-condensed", "barlow-condensed", "OSP-DIN", "overpass-mono")
LEAST_CONTRAST = 125  # of 255, between strokes and ground: the plates of a demo are in good condition


@dataclass
class Tag:
    """`image` float32 [h, w, 3] linear, `alpha` float32 [h, w]; `corners` of the plate proper in its pixels;
    `size` metres."""

    text: str
    region: str
    state: str
    image: np.ndarray
    alpha: np.ndarray
    corners: np.ndarray
    size: Tuple[float, float]


def plain_faces(folder, seed) -> Faces:
    """Faces as plates have them: bold strokes, a 1 with its flag, a 0 narrower than an O. `folder` of fonts or None."""
    faces = Faces(folder, strokes=500, seed=seed)
    faces.strokes = [
        f
        for f in faces.strokes
        if f.weight >= 0.12
        and f.width >= 0.42
        and f.variants["one"] >= 0.4
        and f.variants["slash"] >= 0.06
        and f.variants["four"] >= 0.25
        and f.variants["a"] >= 0.1
        and f.zero < 0.97
        and not f.mono
    ]
    bold = lambda face: any(f"-{w}-" in face.path for w in (500, 600, 700)) or "OSP-DIN" in face.path
    faces.fonts = {k: [f for f in v if bold(f)] for k, v in faces.fonts.items() if k in PLAIN_FONTS}
    faces.fonts = {k: v for k, v in faces.fonts.items() if v}
    return faces


def contrast(plate):
    """Grey steps between the darkest and brightest tenth of the number's band."""
    grey = cv2.cvtColor(plate.image, cv2.COLOR_RGB2GRAY)
    (x0, y0), (x1, y1) = plate.corners[0], plate.corners[2]
    band = grey[
        int(y0 + 0.32 * (y1 - y0)) : int(y0 + 0.72 * (y1 - y0)), int(x0 + 0.1 * (x1 - x0)) : int(x0 + 0.9 * (x1 - x0))
    ]
    low, high = np.percentile(band, (10, 85))
    return float(high - low)


def make_tag(rng, faces: Faces, region, state=None, pattern=None, vanity=False) -> Tag:
    """One plate, redrawn until it is clearly legible.
    The text of a serial comes from the generator, a vanity text is the pattern."""
    for _ in range(300):
        plate = render_plate(
            rng,
            faces,
            region=region,
            state=state,
            pattern=pattern,
            height=160,
            designs=None,
            frame=region == "us" and rng.random() < 0.15,
        )
        odd = region == "us" and not vanity and (UNUSED & set(plate.text) or plate.text[0] == "0")
        odd = odd or (
            state == "CA" and np.median(plate.image.reshape(-1, 3), 0).min() < 215
        )  # California's ground is white
        if contrast(plate) >= LEAST_CONTRAST and 5 <= len(plate.text) <= 8 and not odd:
            break
    image = (np.float32(plate.image) / 255) ** 2.2
    return Tag(
        plate.text, plate.region, plate.state, image, np.float32(plate.alpha) / 255, plate.corners, SIZES[region]
    )
