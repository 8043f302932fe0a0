"""The light of a scene, and what a shiny surface reflects."""
from dataclasses import dataclass
from typing import Optional, Tuple

import numpy as np

Colour = Tuple[float, float, float]


@dataclass(frozen=True)
class Light:
    """Linear light; 1 is the reflection of a white wall facing the sky on a clear day.

    sun        direction to the sun (x, y, z), or None
    lamps      0..1, strength of the cars' own lamps relative to the rest
    flash      infra-red lamp at the camera: light at 10 m, 0 for none (it falls with the square of the distance)
    exposure   factor of the lens
    skyline    elevation of the tree line in reflections, radians
    """

    sun: Optional[Tuple[float, float, float]]
    sun_colour: Colour
    zenith: Colour
    horizon: Colour
    ground: Colour
    lamps: float = 0.0
    flash: float = 0.0
    exposure: float = 1.0
    skyline: float = 0.10
    strips: float = 0.0  # bright ceiling lamps of a garage

    @property
    def sun_direction(self):
        d = np.float64(self.sun)
        return d / np.linalg.norm(d)

    def ambient(self, nz):
        """Light from sky and ground on a surface with the z component nz of its normal, [..., 3]."""
        k = (0.5 + 0.5 * np.asarray(nz, np.float32))[..., None]
        sky = (np.float32(self.zenith) + np.float32(self.horizon)) / 2
        return sky * k + np.float32(self.ground) * (1 - k)

    def mirrored(self, r):
        """Light that comes from direction r [..., 3], normalised."""
        z = r[..., 2]
        azimuth = np.arctan2(r[..., 0], r[..., 1])
        k = np.clip(z, 0, 1)[..., None] ** 0.6
        sky = np.float32(self.horizon) * (1 - k) + np.float32(self.zenith) * k
        line = self.skyline * (
            1 + 0.5 * np.sin(azimuth * 5.0 + 1) + 0.35 * np.sin(azimuth * 11.0 + 4) + 0.2 * np.sin(azimuth * 29.0)
        )
        trees = np.clip((line - z) / 0.03, 0, 1)[..., None]
        sky = sky * (1 - trees) + np.float32(self.ground) * 0.45 * trees
        below = np.clip(-z / 0.02, 0, 1)[..., None]
        floor = np.float32(self.ground) * (0.9 - 0.5 * np.clip(-z, 0, 1))[..., None]
        out = sky * (1 - below) + floor * below
        if self.strips:
            up = np.maximum(z, 0.05)
            x, y = r[..., 0] / up, r[..., 1] / up
            lamp = np.exp(-(((np.mod(x + 0.9, 1.8) - 0.9) / 0.10) ** 2)) * (np.mod(y, 2.2) < 1.3) * (z > 0.12)
            out = out + (self.strips * lamp)[..., None]
        if self.sun is not None:
            s = np.clip((r * self.sun_direction.astype(np.float32)).sum(-1), 0, 1)
            out = out + np.float32(self.sun_colour) * (12 * s**900 + 0.5 * s**30)[..., None]
        return out
