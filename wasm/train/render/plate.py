"""One synthetic plate: picture, corners, text, and the position of each character."""
from dataclasses import dataclass
from typing import List, Optional, Tuple

import cv2
import numpy as np

from . import grounds
from .ink import emboss, rounded_alpha, stamp
from .serials import REGIONS, fill, serial

DEALERS = [
    "TOYOTA OF HOLLYWOOD",
    "AUTO GALLERY",
    "HONDA WORLD",
    "BAY AREA FORD",
    "GALPIN",
    "Autohaus Schmidt",
    "www.autocenter.com",
    "MERCEDES-BENZ",
    "SUPERCHARGED",
    "ALUMNI",
    "UNIVERSITY",
    "MY OTHER CAR",
    "I LOVE LA",
    "NORAUTO",
    "VOLVO",
    "CARMAX",
    "SUNSET BMW",
    "LAKERS",
    "US ARMY",
    "Jacobs Gruppe",
    "Peugeot Lyon",
    "HARLEY DAVIDSON",
]


@dataclass
class Plate:
    """`image` RGB uint8 [h, w, 3]; `alpha` uint8 [h, w] (0 outside the plate and its frame);
    `corners` float32 [4, 2], pixels, clockwise from the top left of the plate proper;
    `chars` [(character, x0, x1)] with x in fractions (0..1) of the plate's width, left to right; the second line of a
    two-line plate has x + 1, as if it were to the right of the first;
    `text` the characters joined; `region` us, eu, br; `state` the state's or country's short name."""

    image: np.ndarray
    alpha: np.ndarray
    corners: np.ndarray
    chars: List[Tuple[str, float, float]]
    text: str
    region: str
    state: str


def _write(rng, faces, image, layout, box, ink, region):
    """Write the number into `box`; returns [(char, x0, x1)] in pixels."""
    face = faces.plate(rng, region)
    x0, y0, x1, y1 = box
    room_h, room_w = y1 - y0, x1 - x0
    char_h = room_h * (rng.uniform(0.82, 1.0) if region != "us" else rng.uniform(0.78, 1.02))
    stretch = rng.uniform(0.85, 1.15)
    count = sum(1 for item in layout if item[0] == "char")
    spacing = char_h * rng.uniform(0.10, 0.22) * (1.15 if count <= 6 else 1)
    widths = {
        "gap": rng.uniform(0.25, 0.55),
        "dash": rng.uniform(0.25, 0.45),
        "dot": rng.uniform(0.3, 0.6),
        "emblem": rng.uniform(0.4, 0.8),
        "stack": 0.4,
    }
    pieces = []
    for item in layout:
        if item[0] == "char":
            mask = face.glyph(item[1])
            pieces.append([item, mask, mask.shape[1] * char_h / mask.shape[0] * stretch])
        else:
            pieces.append([item, None, widths[item[0]] * char_h])
    total = sum(p[2] for p in pieces) + spacing * (len(pieces) - 1)
    squeeze = min(1.0, room_w * rng.uniform(0.93, 1.0) / total)
    if squeeze < 0.62 and region != "us":
        char_h *= max(0.8, squeeze / 0.62)
    if region == "us" and 3 < count <= 6 and rng.random() < 0.5:  # states with wide spacing
        spread = room_w * rng.uniform(0.85, 0.98)
        if total < spread:
            spacing += (spread - total) / max(1, len(pieces) - 1) * rng.uniform(0.5, 1.0)
            total = sum(p[2] for p in pieces) + spacing * (len(pieces) - 1)
    free = room_w - total * squeeze
    x = x0 + free * (0.5 if rng.random() < 0.7 else rng.uniform(0.1, 0.9))
    y = y0 + (room_h - char_h) * (0.5 + rng.normal(0, 0.15))
    light = (rng.choice([-1, 1]) * max(0.6, char_h / 60), rng.choice([-1, 1]) * max(0.6, char_h / 60))
    raised = rng.uniform(0, 0.5) if rng.random() < 0.5 else 0
    height = max(4, int(round(char_h)))
    chars = []
    for (kind, *rest), mask, width in pieces:
        width *= squeeze
        if kind == "char":
            cell = cv2.resize(mask, (max(1, int(round(width))), height), interpolation=cv2.INTER_AREA)
            if raised:
                padded = np.pad(cell, 2)
                emboss(image, padded, x - 2, y - 2, light, raised)
            stamp(image, cell, x, y, ink)
            chars.append((rest[0], x, x + width))
        elif kind == "dash":
            bar = max(1, int(height * 0.11))
            cv2.rectangle(
                image,
                (int(x), int(y + height * 0.5 - bar / 2)),
                (int(x + width * 0.8), int(y + height * 0.5 + bar / 2)),
                tuple(float(v) for v in ink),
                -1,
            )
        elif kind == "dot":
            r = max(1, int(width * 0.42))
            centre = int(x + width / 2)
            if region == "eu" and rng.random() < 0.7:
                for cy in (y + height * 0.27, y + height * 0.73):
                    cv2.circle(
                        image, (centre, int(cy)), r, tuple(float(v) for v in rng.integers(40, 240, 3)), -1, cv2.LINE_AA
                    )
            else:
                cv2.circle(
                    image, (centre, int(y + height / 2)), max(1, r // 2), tuple(float(v) for v in ink), -1, cv2.LINE_AA
                )
        elif kind == "emblem":
            grounds.blobs(
                rng,
                image,
                int(rng.integers(1, 3)),
                (x + width * 0.2, y + height * 0.3, x + width * 0.8, y + height * 0.75),
                1.0,
            )
        elif kind == "stack":
            small = max(3, int(height * 0.46))
            for k, c in enumerate(rest[0][:2]):
                mask = face.glyph(c)
                cell = cv2.resize(
                    mask,
                    (max(2, int(min(width * 0.95, mask.shape[1] * small / mask.shape[0] * 1.2))), small),
                    interpolation=cv2.INTER_AREA,
                )
                stamp(image, cell, x, y + k * (height - small), ink)
        x += width + spacing * squeeze
    return chars


def _break(rng, layout):
    """A layout broken into two lines, at a separator near its middle if it has one."""
    seats = [i for i, item in enumerate(layout) if item[0] != "char" and 0 < i < len(layout) - 1]
    middle = len(layout) / 2 + rng.uniform(-0.8, 0.3)
    if seats:
        at = min(seats, key=lambda i: abs(i - middle))
        return layout[:at], layout[at + 1 :]
    at = int(np.clip(round(middle), 1, max(1, len(layout) - 1)))
    return layout[:at], layout[at:]


def _frame(rng, faces, image, alpha):
    """A dealer's frame around the plate; returns (image, alpha, margin in pixels)."""
    h, w = image.shape[:2]
    m = max(2, int(h * rng.uniform(0.03, 0.12)))
    tone = float(rng.choice([15, 25, 40, 120, 190, 225]))
    colour = np.array((tone, tone, tone)) * rng.uniform(0.9, 1.1, 3)
    out = np.empty((h + 2 * m, w + 2 * m, 3), np.float32)
    out[:] = colour
    over = {side: int(h * rng.uniform(0.0, 0.05)) for side in "tblr"}
    for side in "tb":
        if rng.random() < 0.5:
            over[side] = int(h * rng.uniform(0.05, 0.2 if w < 3 * h else 0.08))
    keep = (slice(over["t"], h - over["b"]), slice(over["l"], w - over["r"]))
    out[m : m + h, m : m + w][keep] = image[keep]
    light = (250, 250, 250) if tone < 130 else (20, 20, 20)
    for side, top in (("t", True), ("b", False)):
        size = m + over[side]
        if rng.random() < 0.7 and size > 5:
            mask = faces.small_text(rng, DEALERS[rng.integers(len(DEALERS))], size * rng.uniform(0.5, 0.8))[:, :w]
            stamp(out, mask, m + (w - mask.shape[1]) / 2, (0 if top else h + 2 * m - size) + size * 0.15, light)
    return out, rounded_alpha(h + 2 * m, w + 2 * m, h * rng.uniform(0, 0.08)), m


def render_plate(
    rng,
    faces,
    region: Optional[str] = None,
    state: Optional[str] = None,
    pattern: Optional[str] = None,
    height: int = 96,
    designs=None,
    frame: Optional[bool] = None,
    lines: int = 1,
) -> Plate:
    """Render one plate.

    rng      numpy Generator: the same state gives the same plate
    faces    `Faces`
    region   "us", "eu", "br"; None picks one (us 60 %)
    state    "CA", "D", "BR2", ... of `serials.REGIONS[region]`; None picks one by share
    pattern  a pattern of serials.py instead of a random serial, e.g. "9AAA999" or a fixed "7BCD123"-like layout
    height   of the plate proper, pixels
    designs  {state: [image files]} from `grounds.design_files`, or None for drawn grounds
    frame    True, False or None (random)
    lines    2 for a motorcycle or square plate
    """
    if region is None:
        region = str(rng.choice(["us", "eu", "br"], p=[0.6, 0.25, 0.15]))
    if pattern is None:
        state, layout = serial(rng, region, state)
    else:
        state, layout = state or next(iter(REGIONS[region][0])), fill(rng, pattern)
    if lines == 2:
        image, ink, *boxes = grounds.two_line(rng, faces, region, state, height)
    elif region == "us":
        image, ink, *boxes = grounds.us(rng, faces, state, height, designs)
        grounds.stickers(rng, faces, image)
    else:
        image, ink, *boxes = (grounds.eu if region == "eu" else grounds.br)(rng, faces, state, height)
    image = np.ascontiguousarray(image, np.float32)
    h, w = image.shape[:2]
    rows = [layout] if lines == 1 else _break(rng, layout)
    chars = [
        (c, a + k * w, b + k * w)
        for k, (row, box) in enumerate(zip(rows, boxes))
        for c, a, b in _write(rng, faces, image, row, box, ink, region)
    ]
    grounds.screws(
        rng,
        image,
        {
            "us": [(0.18, 0.08), (0.82, 0.08), (0.18, 0.92), (0.82, 0.92)],
            "eu": [(0.12, 0.5), (0.9, 0.5), (0.3, 0.9), (0.7, 0.9)],
            "br": [(0.25, 0.15), (0.75, 0.15), (0.25, 0.9), (0.75, 0.9)],
        }[region],
    )
    alpha = rounded_alpha(h, w, h * (rng.uniform(0.04, 0.1) if region == "us" else rng.uniform(0.0, 0.08)))
    m = 0
    if frame if frame is not None else rng.random() < 0.3:
        image, alpha, m = _frame(rng, faces, image, alpha)
    corners = np.float32([[m, m], [m + w, m], [m + w, m + h], [m, m + h]])
    chars = [(c, a / w, b / w) for c, a, b in chars]
    return Plate(
        np.clip(image, 0, 255).astype(np.uint8), alpha, corners, chars, "".join(c for c, _, _ in chars), region, state
    )
