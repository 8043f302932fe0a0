"""The road and its sides as reflectance over (x, y), evaluated once per camera."""
from dataclasses import dataclass
from typing import Tuple

import cv2
import numpy as np


@dataclass(frozen=True)
class Road:
    """Metres. `edges` x of the kerbs; `lines` (x, width, dash, gap, colour) with dash 0 for a solid line;
    `lanes` middle of each lane."""

    edges: Tuple[float, float]
    lanes: Tuple[float, ...]
    lines: Tuple[tuple, ...]
    walk: float = 2.4  # width of the pavement behind the kerb; 0 for a gravel shoulder
    asphalt: float = 0.11
    beside: Tuple[float, float, float] = (0.10, 0.13, 0.05)
    stop_line: float = 0.0  # distance of a crosswalk, 0 for none


WHITE, YELLOW = (0.62, 0.62, 0.60), (0.58, 0.40, 0.06)


def noise(rng, h, w, size, octaves=3):
    """Smooth noise around 0, standard deviation about 1."""
    out = np.zeros((h, w), np.float32)
    for k in range(octaves):
        n = max(2, int(max(h, w) / size * 2**k))
        small = rng.normal(0, 1, (max(2, n * h // max(h, w)), n)).astype(np.float32)
        out += cv2.resize(small, (w, h), interpolation=cv2.INTER_CUBIC) * 0.6**k
    return out / max(1e-6, out.std())


class Patchwork:
    """Tileable noise over the world: `at(x, y)` about 0, standard deviation 1."""

    def __init__(self, rng, metres, size):
        self.metres, n = metres, 512
        self.image = noise(rng, n, n, size)

    def at(self, x, y):
        n = self.image.shape[0]
        u = np.mod(x / self.metres, 1.0) * n
        v = np.mod(y / self.metres, 1.0) * n
        u, v = (np.abs(np.mod(k, 2 * n) - n) for k in (u * 2, v * 2))
        return cv2.remap(
            self.image, np.float32(np.clip(u, 0, n - 1)), np.float32(np.clip(v, 0, n - 1)), cv2.INTER_LINEAR
        )


def reflectance(rng, road: Road, x, y):
    """[h, w, 3] of the ground at x, y (arrays; y infinite is sky and gets any value)."""
    far = ~np.isfinite(y)
    x, y = np.where(far, 0, x), np.where(far, 1e4, y)
    fine, coarse, long = Patchwork(rng, 3.0, 60), Patchwork(rng, 17.0, 90), Patchwork(rng, 60.0, 120)
    tone = road.asphalt * (1 + 0.008 * fine.at(x, y) + 0.03 * coarse.at(x, y * 0.25) + 0.05 * long.at(x, y))
    for lane in road.lanes:  # polished tracks, and oil in the middle of the lane
        for a in (-0.78, 0.78):
            tone *= 1 + 0.10 * np.exp(-(((x - lane - a) / 0.28) ** 2))
        tone *= 1 - 0.16 * np.exp(-(((x - lane) / 0.35) ** 2))
    crack = np.abs(x - road.lanes[0] - 1.5 - 0.1 * long.at(y * 0.4, y * 0.03))
    tone *= 1 - 0.35 * np.exp(-((crack / 0.02) ** 2))
    across = np.mod(y + 0.06 * coarse.at(x, y), 13.0)
    tone *= 1 - 0.3 * np.exp(-((across / 0.03) ** 2))
    out = np.repeat(tone[..., None], 3, -1) * np.float32((1.0, 0.985, 0.95))
    wear = np.clip(0.86 + 0.08 * coarse.at(x * 1.7, y), 0.3, 1)
    for at, width, dash, gap, colour in road.lines:
        on = np.abs(x - at) < width / 2
        if dash:
            on &= np.mod(y, dash + gap) < dash
        out = np.where(on[..., None], out + (np.float32(colour) - out) * wear[..., None], out)
    if road.stop_line:
        inside = (x > road.edges[0] + 0.3) & (x < road.edges[1] - 0.3)
        on = (np.abs(y - road.stop_line) < 1.4) & (np.mod(x, 1.2) < 0.6) & inside
        out = np.where(on[..., None], out + (np.float32(WHITE) - out) * wear[..., None] * 0.9, out)
    for side, edge in ((-1, road.edges[0]), (1, road.edges[1])):
        off = (x - edge) * side
        gutter = (off > -0.45) & (off <= 0)
        kerb = (off > 0) & (off <= 0.16)
        walk = (off > 0.16) & (off <= 0.16 + road.walk)
        beyond = off > 0.16 + road.walk
        concrete = 0.26 * (1 + 0.06 * coarse.at(x, y) + 0.04 * fine.at(x, y))
        joints = 1 - 0.3 * (np.mod(y, 1.5) < 0.03)
        for m, value in (
            (gutter & (road.walk > 0), concrete * 0.8),
            (kerb, concrete * (1.25 if side > 0 else 0.8)),
            (walk, concrete * joints),
        ):
            out = np.where(m[..., None], value[..., None] * np.float32((1.0, 0.97, 0.92)), out)
        grass = np.float32(road.beside) * (1 + 0.10 * fine.at(x * 2, y) + 0.2 * coarse.at(x, y))[..., None]
        out = np.where(beyond[..., None], np.maximum(grass, 0.01), out)
    return np.clip(out, 0.004, 0.9).astype(np.float32)
