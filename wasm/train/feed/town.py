"""The background of the road: sky, hills, houses, walls, trees, lamp posts."""
from dataclasses import dataclass
from typing import Tuple

import cv2
import numpy as np

from .ground import noise
from .view import HEIGHT, WIDTH


@dataclass(frozen=True)
class House:
    """A box: its near corner towards the road (x, y), its length along the road, width away from it, height;
    `side` -1 left, 1 right of the road."""

    x: float
    y: float
    length: float
    width: float
    height: float
    colour: Tuple[float, float, float]
    side: int
    floors: int = 2


def sky(rng, view, light):
    """[h, w, 3] linear for every pixel, also those under the horizon."""
    d = view.rays()
    up = np.clip(d[..., 2] / np.linalg.norm(d, axis=-1), 0, 1)[..., None]
    k = np.clip(up * 4.0, 0, 1) ** 0.7
    out = np.float32(light.horizon) * (1 - k) + np.float32(light.zenith) * k
    clouds = cv2.GaussianBlur(noise(rng, HEIGHT, WIDTH, 500, 5), (0, 0), 6)
    clouds = np.clip(clouds * 0.5 + 0.1, 0, 1)[..., None]
    return (out * (1 + 0.22 * clouds * (np.float32(light.horizon) / max(light.horizon)))).astype(np.float32)


def facade(rng, house, length, light_on, garage=False):
    """Drawing of a wall, about 24 pixels a metre: reflectance [h, w, 3] and glow of lit windows [h, w, 1]."""
    w, h = max(8, int(length * 24)), max(8, int(house.height * 24))
    image = np.empty((h, w, 3), np.float32)
    image[:] = house.colour
    image *= (1 + 0.02 * noise(rng, h, w, 100))[..., None]
    glow = np.zeros((h, w, 1), np.float32)
    floor = h / house.floors
    bay = 24 * rng.uniform(2.4, 3.4)
    trim = np.float32(house.colour) * 0.6
    for f in range(house.floors):
        y1 = h - f * floor
        ground_floor = f == 0
        for k in range(int(w / bay)):
            x0, x1 = (k + (0.12 if ground_floor else 0.27)) * bay, (k + (0.88 if ground_floor else 0.73)) * bay
            top, bottom = y1 - floor * (0.80 if ground_floor else 0.78), y1 - floor * (0.12 if ground_floor else 0.30)
            pane = np.float32((0.05, 0.06, 0.07)) * rng.uniform(0.6, 1.6)
            cv2.rectangle(
                image, (int(x0 - 3), int(top - 3)), (int(x1 + 3), int(bottom + 3)), tuple(float(c) for c in trim), -1
            )
            cv2.rectangle(image, (int(x0), int(top)), (int(x1), int(bottom)), tuple(float(c) for c in pane), -1)
            if rng.random() < light_on:
                cv2.rectangle(glow, (int(x0), int(top)), (int(x1), int(bottom)), float(rng.uniform(0.4, 1.0)), -1)
        if ground_floor and house.floors > 1:
            awning = rng.uniform(0.05, 0.35, 3) * (1.0, 0.7, 0.6)
            cv2.rectangle(
                image, (0, int(y1 - floor * 0.98)), (w, int(y1 - floor * 0.84)), tuple(float(c) for c in awning), -1
            )
    cv2.rectangle(image, (0, 0), (w, int(0.05 * h) + 2), tuple(float(c) for c in trim), -1)
    return image, glow


def stand(canvas, view, texture, corners):
    """Warp a wall's drawing to its four corners (world, from the top left as seen); canvas is drawn over. -> mask"""
    u, v, d = view.project(corners)
    if d.min() < 0.5:
        return None
    h, w = texture.shape[:2]
    while w > 2.2 * max(np.hypot(np.diff(u[:2]), np.diff(v[:2]))[0], 4) and w > 16:
        texture = cv2.resize(texture, (w // 2, h // 2), interpolation=cv2.INTER_AREA)
        h, w = texture.shape[:2]
    m = cv2.getPerspectiveTransform(np.float32([[0, 0], [w, 0], [w, h], [0, h]]), np.float32(np.stack([u, v], -1)))
    mask = cv2.warpPerspective(np.ones((h, w), np.float32), m, (WIDTH, HEIGHT), flags=cv2.INTER_LINEAR)[..., None]
    seen = cv2.warpPerspective(texture, m, (WIDTH, HEIGHT), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    canvas *= 1 - mask
    canvas += seen * mask
    return mask


def wall_light(light, normal):
    """Linear light on a wall facing `normal`."""
    n = np.float32(normal)
    e = light.ambient(np.float32(0.0))
    if light.sun is not None:
        e = e + np.float32(light.sun_colour) * max(0.0, float(n @ light.sun_direction))
    return e


def put_house(rng, canvas, view, light, house):
    """The wall along the road and the wall towards the camera."""
    far_x = house.x + house.side * house.width
    lit = 0.45 if light.lamps > 0.3 else 0.0
    for kind in ("end", "along"):
        length = house.width if kind == "end" else house.length
        image, glow = facade(rng, house, length, lit)
        normal = (0, -1, 0) if kind == "end" else (-house.side, 0, 0)
        texture = image * wall_light(light, normal) + glow * np.float32((0.9, 0.62, 0.3)) * light.lamps
        if kind == "end":
            a, b = sorted([(house.x, house.y), (far_x, house.y)])
        else:
            a, b = (house.x, house.y), (house.x, house.y + house.length)
            if house.side > 0:
                a, b = b, a
        corners = np.array([(*a, house.height), (*b, house.height), (*b, 0), (*a, 0)])
        stand(canvas, view, texture.astype(np.float32), corners)


def put_tree(rng, canvas, view, light, x, y, height, tone=(0.055, 0.085, 0.03)):
    """A crown of many leaf clusters on a trunk."""
    u, v, d = view.project(np.array([x, y, 0.0]))
    k = view.focal / d
    top = v - height * k
    cv2.line(
        canvas,
        (int(u), int(v)),
        (int(u), int((v + top) / 2)),
        tuple(float(c) * 0.35 for c in light.ambient(np.float32(0.2))),
        max(1, int(0.22 * k)),
        cv2.LINE_AA,
    )
    amb = light.ambient(np.float32(0.6))
    sun = np.float32(light.sun_colour) if light.sun is not None else np.zeros(3, np.float32)
    n = 260
    points = rng.normal(0, 1, (n, 3))
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    points *= rng.uniform(0.35, 1.0, (n, 1)) ** 0.5
    points = points[np.argsort(-points[:, 1])]
    for px, py, pz in points:
        cx, cy = u + px * 0.38 * height * k, v - (0.64 + 0.34 * pz) * height * k
        r = max(1.0, height * 0.07 * k * rng.uniform(0.6, 1.3))
        lit = 0.35 + 0.65 * np.clip(0.5 + 0.5 * pz - 0.2 * py, 0, 1)
        facing = 0.0 if light.sun is None else max(0.0, float(np.dot((px, py, pz), light.sun_direction)))
        colour = np.float32(tone) * rng.uniform(0.6, 1.4) * (amb * lit + sun * facing * 0.8)
        cv2.circle(canvas, (int(cx), int(cy)), int(r), tuple(float(c) for c in colour), -1, cv2.LINE_AA)


def put_post(canvas, view, light, x, y, height, arm, lit):
    """A lamp post with an arm of `arm` metres (sign: to which side); `lit` brightness of its head."""
    points = np.array([(x, y, 0), (x, y, height), (x + arm, y, height + 0.3)])
    u, v, d = view.project(points)
    k = view.focal / d[0]
    tone = tuple(float(c) * 0.25 for c in light.ambient(np.float32(0.0)))
    cv2.polylines(canvas, [np.int32(np.stack([u, v], -1))], False, tone, max(1, int(0.13 * k)), cv2.LINE_AA)
    if lit:
        cv2.ellipse(
            canvas,
            (int(u[2]), int(v[2])),
            (max(1, int(0.35 * k)), max(1, int(0.10 * k))),
            0,
            0,
            360,
            tuple(lit * c for c in (3.0, 2.2, 1.2)),
            -1,
            cv2.LINE_AA,
        )


def put_hills(rng, canvas, view, light, rise, tone):
    """A line of far trees and hills over the horizon, `rise` degrees high."""
    line = noise(rng, 8, WIDTH, 160, 5)[4]
    u = np.arange(WIDTH)
    d = view.rays()
    level = np.argmin(np.abs(d[:, WIDTH // 2, 2]))
    height = np.clip(np.radians(rise) * view.focal * (0.7 + 0.22 * line), 1, None)
    points = np.concatenate([np.stack([u, level - height], -1), [[WIDTH, level + 4], [0, level + 4]]])
    far = np.float32(tone) * light.ambient(np.float32(0.3)) * 0.7 + np.float32(light.horizon) * 0.25
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    cv2.fillPoly(mask, [np.int32(points)], 255, cv2.LINE_AA)
    texture = (1 + 0.18 * noise(rng, HEIGHT, WIDTH, 26, 3))[..., None]
    m = mask[..., None].astype(np.float32) / 255
    canvas *= 1 - m
    canvas += far * texture * m


def put_hall(rng, canvas, view, light, left, right, depth, height):
    """The inside of a garage: walls at x left and right, an end wall with the bright way in at `depth`,
    a ceiling with lamps."""

    def concrete(w, h, tone):
        image = np.full((h, w, 3), tone, np.float32) * np.float32((1.0, 0.98, 0.93))
        image *= (1 + 0.03 * noise(rng, h, w, 160, 2))[..., None]
        return image

    ceiling = concrete(160, 600, 0.20) * light.ambient(np.float32(-0.3))
    for k in range(8):
        cv2.rectangle(ceiling, (70, 20 + k * 75), (90, 60 + k * 75), (2.6, 2.6, 2.4), -1)
    near = 2.0
    stand(
        canvas,
        view,
        ceiling,
        np.array([(left, depth, height), (right, depth, height), (right, near, height), (left, near, height)]),
    )
    end = concrete(240, 120, 0.30) * light.ambient(np.float32(0.0))
    cv2.rectangle(end, (50, 22), (175, 120), (1.9, 2.05, 2.2), -1)
    cv2.rectangle(end, (60, 6), (165, 18), (0.05, 0.35, 0.10), -1)
    stand(
        canvas,
        view,
        end,
        np.array([(left, depth, height), (right, depth, height), (right, depth, 0), (left, depth, 0)]),
    )
    for x, order in ((left, (near, depth)), (right, (depth, near))):
        wall = concrete(900, 110, 0.34)
        for k in range(0, 900, 150):
            wall[:, k : k + 16] *= 0.78
        wall[70:78] = (0.50, 0.36, 0.03)
        wall[96:] *= 0.55
        wall *= light.ambient(np.float32(0.0))
        a, b = order
        stand(canvas, view, wall, np.array([(x, a, height), (x, b, height), (x, b, 0), (x, a, 0)]))
