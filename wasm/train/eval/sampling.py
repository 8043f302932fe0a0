"""Sampling as in the runtime: the pyramid and the single rule for every net input."""
import numpy as np


class Pyramid:
    """Level 0 is the frame (uint8 [h, w]); each next one halves it, down to a short side of 32."""

    def __init__(self, luma):
        self.levels = [np.ascontiguousarray(luma)]
        while min(self.levels[-1].shape) >= 64:
            a = self.levels[-1]
            h, w = a.shape[0] // 2 * 2, a.shape[1] // 2 * 2
            a = a[:h, :w].astype(np.uint16)
            self.levels.append(
                ((a[0::2, 0::2] + a[0::2, 1::2] + a[1::2, 0::2] + a[1::2, 1::2] + 2) >> 2).astype(np.uint8)
            )

    @property
    def size(self):
        """(width, height) of the frame."""
        return self.levels[0].shape[1], self.levels[0].shape[0]

    def sample(self, x, y, s):
        """Bilinear grey values at frame coordinates x, y (arrays); `s` frame pixels per output pixel."""
        level = min(int(np.floor(np.log2(max(s, 1.0)))), len(self.levels) - 1)
        image = self.levels[level]
        h, w = image.shape
        u = np.clip(x / (1 << level) - 0.5, 0, w - 1)
        v = np.clip(y / (1 << level) - 0.5, 0, h - 1)
        x0, y0 = np.minimum(u.astype(np.int64), w - 2), np.minimum(v.astype(np.int64), h - 2)
        fx, fy = (u - x0).astype(np.float32), (v - y0).astype(np.float32)
        flat, at = image.ravel(), y0 * w + x0
        top = flat[at] * (1 - fx) + flat[at + 1] * fx
        bottom = flat[at + w] * (1 - fx) + flat[at + w + 1] * fx
        return top * (1 - fy) + bottom * fy

    def window(self, x0, y0, width, height, out_w, out_h):
        """Axis-aligned window of the frame -> float32 [out_h, out_w]."""
        x = x0 + (np.arange(out_w) + 0.5) * (width / out_w)
        y = y0 + (np.arange(out_h) + 0.5) * (height / out_h)
        gx, gy = np.meshgrid(x, y)
        return self.sample(gx, gy, max(width / out_w, height / out_h))

    def quad(self, corners, out_w, out_h):
        """Quad of the frame (clockwise from the top left) -> float32 [out_h, out_w] by the
        homography of its corners."""
        q = np.float64(corners)
        m = square_to_quad(q)
        u = (np.arange(out_w) + 0.5) / out_w
        v = (np.arange(out_h) + 0.5) / out_h
        gu, gv = np.meshgrid(u, v)
        z = m[2, 0] * gu + m[2, 1] * gv + 1
        x = (m[0, 0] * gu + m[0, 1] * gv + m[0, 2]) / z
        y = (m[1, 0] * gu + m[1, 1] * gv + m[1, 2]) / z
        side = lambda a, b: float(np.hypot(*(q[a] - q[b])))
        s = max((side(0, 1) + side(3, 2)) / 2 / out_w, (side(0, 3) + side(1, 2)) / 2 / out_h)
        return self.sample(x, y, s)


def square_to_quad(q):
    """Homography 3x3 from the unit square to corners q [4, 2]."""
    (x0, y0), (x1, y1), (x2, y2), (x3, y3) = q
    dx1, dx2, dx3 = x1 - x2, x3 - x2, x0 - x1 + x2 - x3
    dy1, dy2, dy3 = y1 - y2, y3 - y2, y0 - y1 + y2 - y3
    d = dx1 * dy2 - dx2 * dy1
    if abs(d) < 1e-9:
        d = 1e-9
    g, h = (dx3 * dy2 - dx2 * dy3) / d, (dx1 * dy3 - dx3 * dy1) / d
    return np.float64([[x1 - x0 + g * x1, x3 - x0 + h * x3, x0], [y1 - y0 + g * y1, y3 - y0 + h * y3, y0], [g, h, 1]])


def normalise(p):
    """Rule 4: float [h, w] -> integers round(512 * v), int16 range."""
    p = np.asarray(p, np.float64)
    v = np.clip((p - p.mean()) / max(p.std(), 8.0), -4, 4)
    return np.round(512 * v)


def coarse_size(width, height, area, step=16, least=32):
    """Output size (w, h) of the coarse look at a frame, `area` pixels in total (rule 5)."""
    k = min(1.0, (area / (width * height)) ** 0.5)
    w, h = (max(least, int(round(v * k / step)) * step) for v in (width, height))
    while w * h > area and max(w, h) > least:
        if w >= h:
            w -= step
        else:
            h -= step
    return w, h
