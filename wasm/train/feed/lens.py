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
    cv2.line(kernel, (int(round((c - du / 2) * 16)), int(round((c - dv / 2) * 16))), (int(round((c + du / 2) * 16)), int(round((c + dv / 2) * 16))), 1.0, 1, cv2.LINE_AA, 4)
    return cv2.filter2D(tile, -1, kernel / max(kernel.sum(), 1e-6), borderType=cv2.BORDER_CONSTANT)


def bloom(image, lamps, floor=1.4):
    """Light of very bright spots spread by the lens; `lamps` [(u, v, strength, colour, radius)]."""
    small = cv2.resize(image, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    bright = np.clip(small - floor, 0, 6)
    for u, v, strength, colour, radius in lamps:
        x, y, r = u / 4, v / 4, max(1.0, radius / 4)
        if -60 < x < small.shape[1] + 60 and -60 < y < small.shape[0] + 60:
            cv2.circle(bright, (int(x * 8), int(y * 8)), int(r * 8), tuple(float(c) * strength * 4 for c in colour), -1, cv2.LINE_AA, 3)
    if bright.max() <= 0:
        return image
    halo = 0.30 * cv2.GaussianBlur(bright, (0, 0), 2.0) + 0.16 * cv2.GaussianBlur(bright, (0, 0), 7) + 0.06 * cv2.GaussianBlur(bright, (0, 0), 24)
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


def stamp_time(picture, name, text):
    """White writing with a dark edge, as cameras put it into the picture."""
    for line, at in ((name, (22, 36)), (text, (930, 36))):
        cv2.putText(picture, line, at, cv2.FONT_HERSHEY_SIMPLEX, 0.62, (0, 0, 0), 4, cv2.LINE_AA)
        cv2.putText(picture, line, at, cv2.FONT_HERSHEY_SIMPLEX, 0.62, (235, 235, 235), 1, cv2.LINE_AA)


def encode(picture, quality, grey):
    """JPEG bytes, 4:2:0."""
    out = io.BytesIO()
    image = Image.fromarray(picture)
    if grey:
        image = image.convert("L")
    image.save(out, "JPEG", quality=quality, optimize=True, subsampling=2)
    return out.getvalue()
