"""Renders a scene's passes frame by frame, with the truth about each plate."""
import cv2
import numpy as np

from .car import render
from .lens import bloom, develop, smear
from .scene import Background, Scene
from .view import HEIGHT, WIDTH

IN_VIEW_MARGIN = 3  # pixels that a plate must keep from the edge to count as in view
HIDDEN = 0.06  # share of a plate that may be covered


class Film:
    """`cars[i]` belongs to `scene.passes[i]`."""

    def __init__(self, scene: Scene, cars, seed):
        self.scene, self.cars = scene, cars
        self.background = Background(np.random.default_rng(seed), scene)
        self.noise = np.random.default_rng(seed + 1)
        self.still = {}

    def tile(self, i, t):
        """(distance, tile, pose) of pass i at second t, or None when it is out of view."""
        scene, go, car = self.scene, self.scene.passes[i], self.cars[i]
        y = go.reach(t, scene.reference)
        if not scene.near <= y <= scene.far:
            return None
        if go.going == "stays" and i in self.still:
            return self.still[i]
        pose = go.pose(t, scene.reference, car.shape.length)
        tile = render(car, pose, scene.view, scene.light, go.side)
        if tile is None:
            return None
        gone = float(np.clip((scene.far - y) / (0.12 * scene.far), 0, 1))
        tile.rgba *= gone
        if go.going != "stays":
            later = go.pose(t + scene.shutter, scene.reference, car.shape.length)
            p = np.array([[q.x, q.y - car.shape.length / 2, 0.8] for q in (pose, later)])
            u, v, d = scene.view.project(p)
            tile.rgba = smear(tile.rgba, u[1] - u[0], v[1] - v[0])
            # stopped down: passing cars are nearly sharp, only the far background is soft
            coc = 0.3 * scene.blur * abs(1 / scene.focus - 1 / max(d[0], 1))
            if coc > 0.35:
                tile.rgba = cv2.GaussianBlur(tile.rgba, (0, 0), min(coc, 5.0))
        found = (y, tile, pose)
        if go.going == "stays":
            self.still[i] = found
        return found

    def frame(self, t):
        """Second t -> (uint8 picture [h, w, 3], {pass: quad [4, 2] of the plates in full view})."""
        scene, bg = self.scene, self.background
        shown = [(i, *found) for i in range(len(self.cars)) for found in [self.tile(i, t)] if found is not None]
        shown.sort(key=lambda s: -s[1])
        image = self.road(shown)
        lamps = []
        for i, _, tile, _ in shown:
            h, w = tile.rgba.shape[:2]
            part = image[tile.y : tile.y + h, tile.x : tile.x + w]
            part *= 1 - tile.rgba[..., 3:]
            part += tile.rgba[..., :3]
            lamps = [g for g in lamps if not self.covered(tile, g)] + tile.glare
        image = bloom(image, lamps)
        picture = develop(self.noise, image, scene.light.exposure, scene.noise, scene.grey)
        quads = {}
        for k, (i, _, tile, _) in enumerate(shown):
            if tile.quad is not None and self.in_view(tile.quad, [s[2] for s in shown[k + 1 :]]):
                quads[i] = tile.quad
        return picture, quads

    @staticmethod
    def covered(tile, lamp):
        u, v = int(lamp[0]) - tile.x, int(lamp[1]) - tile.y
        h, w = tile.rgba.shape[:2]
        return 0 <= u < w and 0 <= v < h and tile.rgba[v, u, 3] > 0.5

    @staticmethod
    def in_view(quad, nearer):
        if (
            quad.min() < IN_VIEW_MARGIN
            or quad[:, 0].max() > WIDTH - IN_VIEW_MARGIN
            or quad[:, 1].max() > HEIGHT - IN_VIEW_MARGIN
        ):
            return False
        mask = np.zeros((HEIGHT, WIDTH), np.uint8)
        cv2.fillPoly(mask, [np.int32(quad)], 1)
        total = max(1, int(mask.sum()))
        for tile in nearer:
            h, w = tile.rgba.shape[:2]
            hidden = (tile.rgba[..., 3] > 0.3) & (mask[tile.y : tile.y + h, tile.x : tile.x + w] > 0)
            mask[tile.y : tile.y + h, tile.x : tile.x + w][hidden] = 0
        return mask.sum() >= (1 - HIDDEN) * total

    def road(self, shown):
        """The empty road with the cars' shadows and the light of their lamps."""
        scene, bg = self.scene, self.background
        view, light = scene.view, scene.light
        shadow = np.zeros((HEIGHT // 2, WIDTH // 2), np.float32)
        contact = np.zeros_like(shadow)
        pools = None
        for i, y, _, pose in shown:
            s = self.cars[i].shape

            def draw(target, points, value):
                u, v, d = view.project(points)
                if d.min() > 0.5:
                    hull = cv2.convexHull(np.float32(np.stack([u, v], -1) / 2))
                    cv2.fillPoly(target, [np.int32(np.clip(hull, -4000, 4000) * 8)], value, cv2.LINE_AA, 3)

            corner = np.array([[a, b, 0.0] for a in (-1, 1) for b in (-1, 1)]) * (
                s.width / 2 - 0.02,
                s.length / 2 - 0.05,
                1,
            )
            draw(contact, pose.world(corner), 1.0)
            if light.sun is not None:
                d = light.sun_direction
                solid = np.array(
                    [
                        [a * s.width / 2 * k, b * l, z]
                        for a in (-1, 1)
                        for b in (-1, 1)
                        for k, l, z in (
                            (0.97, s.length / 2, 0.1),
                            (0.97, s.length / 2 - 0.1, s.belt * 0.9),
                            (0.75, s.length * 0.24, s.height),
                        )
                    ]
                )
                p = pose.world(solid)
                draw(shadow, p - p[:, 2:] / max(d[2], 0.05) * d, 1.0)
            if light.lamps and np.cos(np.radians(pose.heading)) < 0:
                ahead = pose.y - s.length / 2 - bg.y
                aside = bg.x - pose.x
                with np.errstate(invalid="ignore", over="ignore"):
                    reach = np.clip(ahead, 0, 40)
                    width = 0.7 + 0.11 * reach
                    pool = np.exp(-((aside / width) ** 2)) * np.clip(ahead / 2.0, 0, 1) * np.exp(-reach / 9.0)
                pool = np.nan_to_num(pool) * bg.on_ground
                pools = pool if pools is None else pools + pool
        if contact.max() > 0:
            for target, sigma in ((shadow, 1.6), (contact, 4.0)):
                target[:] = cv2.GaussianBlur(target, (0, 0), sigma)
        up = lambda m: cv2.resize(m, (WIDTH, HEIGHT), interpolation=cv2.INTER_LINEAR)[..., None]
        ground = bg.on_ground[..., None]
        image = bg.lit + (bg.shaded - bg.lit) * up(shadow) * ground if light.sun is not None else bg.lit.copy()
        image *= 1 - 0.78 * up(contact) * ground
        if pools is not None:
            image += (
                (pools * light.lamps * 1.1).astype(np.float32)[..., None]
                * bg.albedo
                * np.float32((1.6, 1.5, 1.3))
                * (1 - up(contact) * 0.8)
            )
        return image
