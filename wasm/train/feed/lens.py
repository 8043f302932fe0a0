"""From linear light to the bytes a camera sends: bloom, motion, noise, tone, time stamp, JPEG."""
import io

import cv2
import numpy as np
from PIL import Image


def smear(tile, du, dv):
    """Blur premultiplied RGBA along (du, dv) pixels."""
    length = float(np.hypot(du, dv))
    if length < 0.5:
        return tile
    n = int(np.ceil(length)) * 2 + 1
    kernel = np.zeros((n, n), np.float32)
    c = n // 2
    cv2.line(
        kernel,
        (int(round((c - du / 2) * 16)), int(round((c - dv / 2) * 16))),
        (int(round((c + du / 2) * 16)), int(round((c + dv / 2) * 16))),
        1.0,
        1,
        cv2.LINE_AA,
        4,
    )
    return cv2.filter2D(tile, -1, kernel / max(kernel.sum(), 1e-6), borderType=cv2.BORDER_CONSTANT)


def bloom(image, lamps, floor=1.4):
    """Light of very bright spots spread by the lens; `lamps` [(u, v, strength, colour, radius)]."""
    small = cv2.resize(image, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    bright = np.clip(small - floor, 0, 6)
    for u, v, strength, colour, radius in lamps:
        x, y, r = u / 4, v / 4, max(1.0, radius / 4)
        if -60 < x < small.shape[1] + 60 and -60 < y < small.shape[0] + 60:
            cv2.circle(
                bright,
                (int(x * 8), int(y * 8)),
                int(r * 8),
                tuple(float(c) * strength * 4 for c in colour),
                -1,
                cv2.LINE_AA,
                3,
            )
    if bright.max() <= 0:
        return image
    halo = (
        0.30 * cv2.GaussianBlur(bright, (0, 0), 2.0)
        + 0.16 * cv2.GaussianBlur(bright, (0, 0), 7)
        + 0.06 * cv2.GaussianBlur(bright, (0, 0), 24)
    )
    return image + cv2.resize(halo, (image.shape[1], image.shape[0]), interpolation=cv2.INTER_LINEAR)


def develop(rng, image, exposure, noise, grey):
    """Linear light -> uint8 RGB, with the sensor's noise."""
    x = 1 - np.exp(-np.maximum(image, 0) * exposure)
    if grey:
        x = np.repeat((x @ np.float32((0.4, 0.35, 0.25)))[..., None], 3, -1)
    x = np.sqrt(x) ** (2 / 2.2)
    if noise:
        h, w = x.shape[:2]
        grain = rng.standard_normal((h, w), dtype=np.float32)
        grain = cv2.GaussianBlur(grain, (0, 0), 0.7)
        x = x + (grain * noise * 1.8)[..., None]
    return np.uint8(np.clip(x * 255 + 0.5, 0, 255))


def stamp_time(picture, text):
    """Small white writing with a dark edge at the lower left, as cameras draw it into the picture."""
    at = (16, picture.shape[0] - 14)
    cv2.putText(picture, text, at, cv2.FONT_HERSHEY_SIMPLEX, 0.45, (0, 0, 0), 3, cv2.LINE_AA)
    cv2.putText(picture, text, at, cv2.FONT_HERSHEY_SIMPLEX, 0.45, (225, 225, 225), 1, cv2.LINE_AA)


# The usual tables of JPEG at quality 50, row by row (ITU T.81, annex K).
LUMA = np.array(
    [
        16,
        11,
        10,
        16,
        24,
        40,
        51,
        61,
        12,
        12,
        14,
        19,
        26,
        58,
        60,
        55,
        14,
        13,
        16,
        24,
        40,
        57,
        69,
        56,
        14,
        17,
        22,
        29,
        51,
        87,
        80,
        62,
        18,
        22,
        37,
        56,
        68,
        109,
        103,
        77,
        24,
        35,
        55,
        64,
        81,
        104,
        113,
        92,
        49,
        64,
        78,
        87,
        103,
        121,
        120,
        101,
        72,
        92,
        95,
        98,
        112,
        100,
        103,
        99,
    ]
)
CHROMA = np.array(
    [17, 18, 24, 47, 99, 99, 99, 99, 18, 21, 26, 66, 99, 99, 99, 99, 24, 26, 56, 99, 99, 99, 99, 99, 47, 66] + [99] * 38
)
COLOUR_LOSS = 22  # colour has this much less quality: it is not read, and this saves a twelfth


def scaled(table, quality):
    """A table for a quality of 1 to 100, as in common encoders."""
    k = 5000 / quality if quality < 50 else 200 - 2 * quality
    return np.clip((table * k + 50) // 100, 1, 255).astype(int).tolist()


def encode(picture, quality, grey):
    """JPEG bytes, 4:2:0."""
    out = io.BytesIO()
    image = Image.fromarray(picture)
    tables = [scaled(LUMA, quality)] + ([] if grey else [scaled(CHROMA, quality - COLOUR_LOSS)])
    if grey:
        image = image.convert("L")
    image.save(out, "JPEG", qtables=tables, optimize=True, subsampling=2)
    return out.getvalue()
