"""Putting coloured masks on an RGB image (float32 [h, w, 3], 0..255)."""
import cv2
import numpy as np


def stamp(image, mask, x, y, colour, strength=1.0):
    """Paint `colour` through `mask` (uint8) with its top left at (x, y); parts outside are clipped."""
    x, y = int(round(x)), int(round(y))
    h, w = image.shape[:2]
    x0, y0, x1, y1 = max(x, 0), max(y, 0), min(x + mask.shape[1], w), min(y + mask.shape[0], h)
    if x0 >= x1 or y0 >= y1:
        return
    a = mask[y0 - y : y1 - y, x0 - x : x1 - x].astype(np.float32)[:, :, None] * (strength / 255)
    part = image[y0:y1, x0:x1]
    part += (np.asarray(colour, np.float32) - part) * a


def emboss(image, mask, x, y, rng_shift, strength):
    """Light and shadow along the edges of raised letters: `rng_shift` is the direction of light in pixels."""
    dx, dy = rng_shift
    soft = mask.astype(np.float32)
    moved = cv2.warpAffine(soft, np.float32([[1, 0, dx], [0, 1, dy]]), (mask.shape[1], mask.shape[0]))
    edge = soft - moved
    stamp(image, np.clip(edge, 0, 255).astype(np.uint8), x, y, (255, 255, 255), strength)
    stamp(image, np.clip(-edge, 0, 255).astype(np.uint8), x, y, (0, 0, 0), strength)


def grey_contrast(a, b):
    """Difference of the luma of two colours."""
    k = np.array((0.299, 0.587, 0.114))
    return abs(float(np.dot(k, a)) - float(np.dot(k, b)))


def gradient(h, w, top, bottom, horizontal=False):
    """Float32 image from colour `top` to colour `bottom`."""
    t = np.linspace(0, 1, w if horizontal else h, dtype=np.float32)
    t = t[None, :, None] if horizontal else t[:, None, None]
    image = np.asarray(top, np.float32) * (1 - t) + np.asarray(bottom, np.float32) * t
    return np.ascontiguousarray(np.broadcast_to(image, (h, w, 3)), np.float32)


def rounded_alpha(h, w, radius):
    """Mask uint8 of a plate with rounded corners."""
    mask = np.zeros((h, w), np.uint8)
    r = int(max(0, min(radius, h // 2 - 1, w // 2 - 1)))
    cv2.rectangle(mask, (r, 0), (w - 1 - r, h - 1), 255, -1)
    cv2.rectangle(mask, (0, r), (w - 1, h - 1 - r), 255, -1)
    for cx, cy in ((r, r), (w - 1 - r, r), (r, h - 1 - r), (w - 1 - r, h - 1 - r)):
        cv2.circle(mask, (cx, cy), r, 255, -1, cv2.LINE_AA)
    return mask
