"""One camera's scene: its view, light, objects, lens and sensor."""
from dataclasses import dataclass, field
from typing import List, Tuple

import cv2
import numpy as np

from . import town
from .ground import Road, reflectance
from .light import Light
from .view import HEIGHT, WIDTH, View


@dataclass
class Scene:
    """`record`: the camera record of the engine. Distances in metres, times in seconds."""

    record: dict
    view: View
    light: Light
    road: Road
    rate: float  # frames a second
    near: float  # plates nearer than this are out of view
    far: float  # cars beyond this are out of view
    reference: float  # distance at which a pass has its nominal time
    shutter: float = 0.002  # seconds
    noise: float = 0.003  # standard deviation at full light, of full scale
    quality: int = 60
    grey: bool = False  # infra-red: no colour
    focus: float = 18.0
    blur: float = 26.0  # pixels x metres: circle of confusion = blur * |1/focus - 1/distance|
    houses: List[town.House] = field(default_factory=list)
    trees: List[Tuple[float, float, float]] = field(default_factory=list)
    posts: List[Tuple[float, float, float, float]] = field(default_factory=list)
    hills: float = 0.0
    hall: Tuple[float, float, float, float] = ()
    shade: List[Tuple[float, float, float, float]] = field(
        default_factory=list
    )  # x, y, half sizes of shadows of what is out of the picture
    passes: list = field(default_factory=list)


class Background:
    """The empty picture in linear light: `lit` and `shaded` (without sun), and where the road is."""

    def __init__(self, rng, scene: Scene):
        view, light = scene.view, scene.light
        x2, y2, _ = view.ground(2)
        albedo = reflectance(rng, scene.road, x2, y2)
        albedo = cv2.resize(albedo, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
        self.x, self.y, self.distance = view.ground()
        on_ground = np.isfinite(self.distance) & (self.distance < 6000)
        amb = light.ambient(np.float32(0.95))
        sun = (
            np.float32(light.sun_colour) * max(0.0, float(light.sun_direction[2]))
            if light.sun is not None
            else np.zeros(3, np.float32)
        )
        flash = np.zeros((HEIGHT, WIDTH, 1), np.float32)
        if light.flash:
            u, v = np.meshgrid(np.linspace(-1, 1, WIDTH), np.linspace(-1, 1, HEIGHT))
            beam = np.exp(-(u**2 + 0.6 * v**2) * 0.8)
            r = np.where(on_ground, self.distance, 1e3)
            flash = (light.flash * 100 / r**2 * np.clip(view.at[2] / r, 0.02, 1) * 2.2 * beam).astype(np.float32)[
                ..., None
            ]
        backdrop = town.sky(rng, view, light)
        if scene.hills:
            town.put_hills(rng, backdrop, view, light, scene.hills, (0.045, 0.065, 0.03))
        gx, gy = np.where(on_ground, self.x, 1e4), np.where(on_ground, self.y, 1e4)
        sunlit = np.ones((HEIGHT, WIDTH), np.float32)
        for cx, cy, hx, hy in scene.shade:
            d = ((gx - cx) / hx) ** 2 + ((gy - cy) / hy) ** 2
            ragged = d + 0.35 * np.sin(gx * 5 + gy) * np.sin(gy * 1.7 - gx * 2)
            sunlit = np.minimum(sunlit, 1 / (1 + np.exp(-np.clip((ragged - 1) * 6, -30, 30))))
        self.sunlit = cv2.GaussianBlur(np.float32(sunlit), (0, 0), 2.5)[..., None]
        versions = []
        for with_sun in (1.0, 0.0):
            ground = albedo * (amb + sun * with_sun * self.sunlit + flash)
            image = np.ascontiguousarray(np.where(on_ground[..., None], ground, backdrop), np.float32)
            state = np.random.default_rng(scene_seed(scene))  # the same houses and trees both times
            if scene.hall:
                town.put_hall(state, image, view, light, *scene.hall)
            for house in sorted(scene.houses, key=lambda h: -h.y):
                town.put_house(state, image, view, light, house)
            for x, y, height in sorted(scene.trees, key=lambda t: -t[1]):
                town.put_tree(state, image, view, light, x, y, height)
            for x, y, height, arm in scene.posts:
                town.put_post(image, view, light, x, y, height, arm, light.lamps)
            versions.append(self.defocused(scene, image))
        self.lit, self.shaded = versions
        self.albedo = albedo
        self.on_ground = on_ground

    def defocused(self, scene, image):
        """Blurred by distance from the focus, in four steps."""
        d = np.clip(np.where(np.isfinite(self.distance), self.distance, 1e3), 1, 1e3)
        size = scene.blur * np.abs(1 / scene.focus - 1 / d)
        out, sigmas = image.copy(), (0.8, 1.8, 3.5, 6.0, 9.0)
        for k, sigma in enumerate(sigmas):
            low = sigmas[k - 1] if k else 0.0
            a = np.clip((size - low) / (sigma - low), 0, 1)[..., None].astype(np.float32)
            a = cv2.GaussianBlur(a, (0, 0), 3)[..., None]
            out += (cv2.GaussianBlur(image, (0, 0), sigma) - out) * a
        return out


def scene_seed(scene):
    """A number that depends on the camera's name only."""
    return sum((k + 1) * ord(c) for k, c in enumerate(scene.record["id"]))
