"""A pinhole camera over the road."""
import numpy as np

WIDTH, HEIGHT = 1280, 720


class View:
    """`at` (x, y, z) metres; `yaw` degrees to the right of the road, `pitch` degrees down; `focal` pixels; `horizon`:
    row of the horizon."""

    def __init__(self, at, focal, yaw=0.0, horizon=100.0):
        self.at, self.focal = np.float64(at), float(focal)
        pitch = np.arctan2(HEIGHT / 2 - horizon, focal)
        y = np.radians(yaw)
        self.forward = np.array([np.sin(y) * np.cos(pitch), np.cos(y) * np.cos(pitch), -np.sin(pitch)])
        self.right = np.array([np.cos(y), -np.sin(y), 0.0])
        self.down = np.cross(self.forward, self.right)

    def project(self, points):
        """[..., 3] world -> (u, v, depth); pixel centres at +0.5, depth in metres along the axis."""
        p = np.asarray(points, np.float64) - self.at
        depth = p @ self.forward
        k = self.focal / np.maximum(depth, 1e-3)
        return p @ self.right * k + WIDTH / 2, p @ self.down * k + HEIGHT / 2, depth

    def rays(self, scale=1):
        """Directions [h, w, 3], not normalised (1 along the axis),
        of all pixels of a frame at `scale` times the resolution."""
        u = (np.arange(WIDTH * scale) + 0.5) / scale - WIDTH / 2
        v = (np.arange(HEIGHT * scale) + 0.5) / scale - HEIGHT / 2
        return self.forward + (u / self.focal)[None, :, None] * self.right + (v / self.focal)[:, None, None] * self.down

    def ground(self, scale=1):
        """(x, y, distance) of the road under each pixel; y is infinite above the horizon."""
        d = self.rays(scale)
        t = np.where(d[..., 2] < -1e-6, -self.at[2] / np.minimum(d[..., 2], -1e-6), np.inf)
        with np.errstate(invalid="ignore"):
            return self.at[0] + t * d[..., 0], self.at[1] + t * d[..., 1], t
