"""One car: body, skin, paint, plate; rendered into a tile of the frame."""
from dataclasses import dataclass
from typing import Optional

import cv2
import numpy as np

from . import skin
from .body import SHAPES, ball_mesh, body_mesh, box_mesh, solid, wheel_mesh
from .raster import rasterise
from .view import HEIGHT, WIDTH

# linear paint, share of metallic flakes; about as often as on the road
PAINTS = [
    ((0.72, 0.72, 0.70), 0.1, 5),
    ((0.010, 0.010, 0.011), 0.3, 4),
    ((0.30, 0.31, 0.32), 0.7, 5),
    ((0.09, 0.095, 0.10), 0.7, 4),
    ((0.012, 0.045, 0.16), 0.5, 2),
    ((0.26, 0.012, 0.014), 0.4, 2),
    ((0.05, 0.06, 0.045), 0.3, 1),
    ((0.34, 0.28, 0.20), 0.6, 1),
    ((0.03, 0.10, 0.14), 0.5, 1),
]
BODY, WHEEL, DARK, MIRROR = 0, 1, 2, 3
BADGES = ("LX", "SE", "GT", "XLE", "Hybrid", "TDI", "4x4", "AWD", "EX", "Sport")


def letters_of(rng):
    """A painter of small chrome badges on a sheet."""
    word = BADGES[rng.integers(len(BADGES))]

    def paint(sheet, at, height):
        mask = np.zeros((sheet.h, sheet.w), np.uint8)
        x, y = sheet.pixels([at])[0]
        cv2.putText(
            mask, word, (int(x), int(y)), cv2.FONT_HERSHEY_DUPLEX, height * skin.SCALE / 22, 255, 1, cv2.LINE_AA
        )
        sheet.put(np.float32(mask) / 255, skin.CHROME, gloss=0.4)

    return paint


class Car:
    """The appearance of one vehicle. `rear_tag`, `front_tag`: `tags.Tag` or None."""

    def __init__(self, rng, shape: str, rear_tag=None, front_tag=None, paint: Optional[int] = None):
        self.shape = SHAPES[shape]
        weights = np.array([p[2] for p in PAINTS], float)
        self.paint, self.flakes, _ = PAINTS[
            rng.choice(len(PAINTS), p=weights / weights.sum()) if paint is None else paint
        ]
        self.paint = np.float32(self.paint) * np.float32(rng.uniform(0.85, 1.15))
        self.rear_tag, self.front_tag = rear_tag, front_tag
        self.dirt = rng.uniform(0.0, 0.35)
        any_tag = rear_tag or front_tag
        size = any_tag.size if any_tag else (0.305, 0.152)
        self.sheets = {
            "rear": skin.rear(rng, self.shape, size, letters_of(rng)),
            "front": skin.front(rng, self.shape, size),
            "side": skin.side(rng, self.shape),
            "top": skin.top(rng, self.shape),
        }
        self.pyramids = {k: s.pyramid() for k, s in self.sheets.items()}
        self.corners = {}
        self.rim = rng.uniform(0.15, 0.5)
        self.spokes = int(rng.choice([5, 6, 7, 10]))

    def meshes(self, cells):
        """[(kind, points, normals, triangles)] in car coordinates."""
        s = self.shape
        out = [(BODY, *body_mesh(s.name, cells))]
        points, normals, triangles = wheel_mesh(s.wheel, 0.22 if s.name != "pickup" else 0.27, max(12, cells // 2))
        for y in s.axles:
            for a in (-1, 1):
                out.append((WHEEL, points + (a * (s.width / 2 - 0.105), y, s.wheel), normals, triangles))
        out.append(
            (
                DARK,
                *box_mesh(
                    (-s.width / 2 + 0.28, -s.length / 2 + 0.35, s.clearance - 0.03),
                    (s.width / 2 - 0.28, s.length / 2 - 0.4, s.belt - 0.1),
                ),
            )
        )
        ball, ball_normals, ball_triangles = ball_mesh(10)
        y = {"pickup": 0.95, "van": 1.4}.get(s.name, 0.85)
        for a in (-1, 1):
            r = np.array([0.11, 0.07, 0.075 if s.name != "pickup" else 0.12])
            n = ball_normals / r
            out.append(
                (
                    MIRROR,
                    ball * r + (a * (s.width / 2 + 0.075), y, s.belt + 0.10),
                    n / np.linalg.norm(n, axis=1, keepdims=True),
                    ball_triangles,
                )
            )
        return out

    def plate_corners(self, which):
        """[4, 3] car coordinates of the plate, clockwise from the top left as read from outside; None without one."""
        tag = self.rear_tag if which == "rear" else self.front_tag
        if tag is None:
            return None
        if which not in self.corners:
            self.corners[which] = self._plate_corners(which, tag)
        return self.corners[which]

    def _plate_corners(self, which, tag):
        """The plate is placed where its upper and lower edges first touch the body."""
        s, (w, h) = self.shape, tag.size
        z = s.rear_plate if which == "rear" else s.front_plate
        ends = []
        for dz in (h / 2, -h / 2):
            sign = -1 if which == "rear" else 1
            low, high = 0.5 * s.length - 0.6, 0.5 * s.length + 0.2
            for _ in range(20):
                mid = (low + high) / 2
                low, high = (mid, high) if solid(s, np.array([0.0, sign * mid, z + dz])) < 0 else (low, mid)
            ends.append(low)
        tilt = np.clip((ends[0] - ends[1]), -0.05 * h, 0.03 * h)
        y = max(ends) + 0.012
        sign = -1 if which == "rear" else 1
        right = -sign * w / 2  # the car's right is on the reader's right from behind, on the left from the front
        return np.array(
            [
                (-right, sign * (y + tilt / 2), z + h / 2),
                (right, sign * (y + tilt / 2), z + h / 2),
                (right, sign * (y - tilt / 2), z - h / 2),
                (-right, sign * (y - tilt / 2), z - h / 2),
            ]
        )


def look_up(pyramid, sheet, a, z, pixels_per_metre):
    """Bilinear layers [n, 8] of a drawing at positions (a, z), from the level that fits the distance."""
    level = int(np.clip(np.floor(np.log2(max(1.0, skin.SCALE / max(pixels_per_metre, 1)))), 0, len(pyramid) - 1))
    image = pyramid[level]
    k = image.shape[1] / sheet.w
    u = np.float32((a - sheet.a0) * skin.SCALE * k - 0.5)
    v = np.float32((sheet.z1 - z) * skin.SCALE * k - 0.5)
    h, w = image.shape[:2]
    u, v = np.clip(u, 0, w - 1.001), np.clip(v, 0, h - 1.001)
    iu, iv = u.astype(np.int32), v.astype(np.int32)
    fu, fv = (u - iu)[:, None], (v - iv)[:, None]
    flat, at = image.reshape(-1, image.shape[2]), iv * w + iu
    return (flat[at] * (1 - fu) + flat[at + 1] * fu) * (1 - fv) + (flat[at + w] * (1 - fu) + flat[at + w + 1] * fu) * fv


@dataclass
class Pose:
    """Position of a car: x, y metres; heading degrees, 0 = driving away from the camera, 180 = towards it."""

    x: float
    y: float
    heading: float
    brake: bool = False
    z: float = 0.0

    def world(self, p):
        c, s = np.cos(np.radians(self.heading)), np.sin(np.radians(self.heading))
        p = np.asarray(p, np.float64)
        return np.stack(
            [self.x + p[..., 0] * c + p[..., 1] * s, self.y - p[..., 0] * s + p[..., 1] * c, self.z + p[..., 2]], -1
        )

    def turn(self, n):
        c, s = np.cos(np.radians(self.heading)), np.sin(np.radians(self.heading))
        n = np.asarray(n, np.float64)
        return np.stack([n[..., 0] * c + n[..., 1] * s, -n[..., 0] * s + n[..., 1] * c, n[..., 2]], -1)


@dataclass
class Tile:
    """`rgba` float32 [h, w, 4], linear, colour already times alpha; top left at (x, y) of the frame.
    `glare`: lamps [(u, v, strength, colour, size)]."""

    x: int
    y: int
    rgba: np.ndarray
    quad: Optional[np.ndarray]
    glare: list


def render(car: Car, pose: Pose, view, light, which_plate):
    """The car as a tile of the frame, or None when it is not visible.
    `which_plate`: rear or front, the one that faces the camera."""
    s = car.shape
    corner = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (0, 1)]) * (
        s.width / 2 + 0.2,
        s.length / 2 + 0.05,
        s.height + 0.05,
    )
    u, v, d = view.project(pose.world(corner))
    if d.min() < 0.8:
        return None
    x0, x1 = int(np.floor(max(u.min() - 3, 0))), int(np.ceil(min(u.max() + 3, WIDTH)))
    y0, y1 = int(np.floor(max(v.min() - 3, 0))), int(np.ceil(min(v.max() + 3, HEIGHT)))
    if x1 - x0 < 3 or y1 - y0 < 3:
        return None
    per_metre = view.focal / d.mean()
    pixels = (x1 - x0) * (y1 - y0)
    ss = 2.0 if pixels < 40_000 else 1.5 if pixels < 130_000 else 1.2
    cells = 72 if per_metre > 150 else 48 if per_metre > 60 else 30
    w, h = int(round((x1 - x0) * ss)), int(round((y1 - y0) * ss))
    meshes = car.meshes(cells)
    points = np.concatenate([m[1] for m in meshes])
    normals = np.concatenate([m[2] for m in meshes])
    kinds = np.concatenate([np.full(len(m[3]), m[0]) for m in meshes])
    base = np.cumsum([0] + [len(m[1]) for m in meshes[:-1]])
    triangles = np.concatenate([m[3] + b for m, b in zip(meshes, base)])
    world = pose.world(points)
    u, v, d = view.project(world)
    index, weight = rasterise((u - x0) * ss, (v - y0) * ss, d, triangles, w, h)
    hit = np.flatnonzero(index.ravel() >= 0)
    if len(hit) == 0:
        return None
    tri = triangles[index.ravel()[hit]]
    b = weight.reshape(-1, 3)[hit]
    local = np.einsum("nk,nkc->nc", b, points[tri].astype(np.float32))
    normal = np.einsum("nk,nkc->nc", b, normals[tri].astype(np.float32))
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-6)
    kind = kinds[index.ravel()[hit]]
    colour = shade(car, pose, view, light, local, normal, kind, per_metre * ss)
    rgba = np.zeros((h * w, 4), np.float32)
    rgba[hit, :3] = colour
    rgba[hit, 3] = 1
    rgba = rgba.reshape(h, w, 4)
    quad = None
    tag = car.rear_tag if which_plate == "rear" else car.front_tag
    corners = car.plate_corners(which_plate)
    if corners is not None:
        at = pose.world(corners)
        qu, qv, _ = view.project(at)
        quad = np.stack([qu, qv], -1)
        out = pose.turn(np.array([0.0, -1.0 if which_plate == "rear" else 1.0, 0.0]))
        paste_tag(rgba, tag, (quad - (x0, y0)) * ss, out, at.mean(0), view, light, which_plate)
    small = cv2.resize(rgba, (x1 - x0, y1 - y0), interpolation=cv2.INTER_AREA)
    return Tile(x0, y0, small, quad, glare(car, pose, view, light))


def incoming(light, normal, position, view):
    """Diffuse light on surfaces: normals [n, 3] and positions [n, 3] in the world."""
    e = light.ambient(normal[:, 2])
    if light.sun is not None:
        e = e + np.float32(light.sun_colour) * np.clip(normal @ light.sun_direction.astype(np.float32), 0, 1)[:, None]
    if light.flash:
        to = view.at.astype(np.float32) - position
        r2 = (to**2).sum(1)
        cos = np.clip((normal * to).sum(1) / np.sqrt(r2), 0, 1)
        e = e + (light.flash * cos * 100 / r2)[:, None]
    return e


def shade(car, pose, view, light, local, normal, kind, per_metre):
    """Linear colour [n, 3] of the pixels at car positions `local` with car normals `normal`."""
    s = car.shape
    layers = np.zeros((len(local), 8), np.float32)
    layers[:, 4] = 0.03
    body = kind == BODY
    ax, ay, az = np.abs(normal[:, 0]), np.abs(normal[:, 1]), np.abs(normal[:, 2])
    ends = body & (ay > 0.26) & (ay * 1.45 > ax)
    sides = body & ~ends & (ax > 0.62 * az) & (ax > 0.45)
    for name, m in (
        ("rear", ends & (normal[:, 1] < 0)),
        ("front", ends & (normal[:, 1] > 0)),
        ("side", sides),
        ("top", body & ~ends & ~sides),
    ):
        i = np.flatnonzero(m)
        if len(i):
            p = local[i]
            a, z = {
                "rear": (p[:, 0], p[:, 2]),
                "front": (p[:, 0], p[:, 2]),
                "side": (p[:, 1], p[:, 2]),
                "top": (p[:, 0], p[:, 1]),
            }[name]
            layers[i] = look_up(car.pyramids[name], car.sheets[name], a, z, per_metre)
    albedo = layers[:, :3] + layers[:, 3:4] * car.paint
    gloss = layers[:, 4].copy()
    i = np.flatnonzero(kind == WHEEL)
    if len(i):
        p = local[i]
        rear_axle = np.abs(p[:, 1] - s.axles[0]) < np.abs(p[:, 1] - s.axles[1])
        dy, dz = p[:, 1] - np.where(rear_axle, s.axles[0], s.axles[1]), p[:, 2] - s.wheel
        r, a = np.hypot(dy, dz) / s.wheel, np.arctan2(dz, dy)
        spoke = (np.cos(a * car.spokes + pose.y * 2.9) > -0.1) | (r < 0.2)
        rim = (r < 0.66) & (np.abs(p[:, 0]) > s.width / 2 - 0.2)
        albedo[i] = np.where((rim & spoke)[:, None], car.rim, 0.018) * np.where(rim & ~spoke, 0.3, 1)[:, None]
        gloss[i] = np.where(rim & spoke, 0.2, 0.01)
    albedo[kind == DARK] = 0.006
    gloss[kind == DARK] = 0
    i = kind == MIRROR
    albedo[i], gloss[i] = car.paint, 0.05
    low = np.clip(1 - local[:, 2] / 0.75, 0, 1) ** 2
    road = np.float32((0.16, 0.14, 0.11))
    albedo = albedo + (road - albedo) * (car.dirt * 0.7 * low * (layers[:, 7] < 0.5))[:, None]
    n = pose.turn(normal).astype(np.float32)
    p = pose.world(local).astype(np.float32)
    to = view.at.astype(np.float32) - p
    distance = np.linalg.norm(to, axis=1, keepdims=True)
    to /= distance
    cos = np.clip((n * to).sum(1), 0.02, 1)
    # the road and the car's underside darken low surfaces that face down
    open_sky = np.clip(0.35 + 0.65 * (local[:, 2] + 0.55 * n[:, 2]) / 0.7, 0.12, 1)[:, None]
    e = incoming(light, n, p, view) * open_sky
    dark = (1 - layers[:, 6])[:, None]
    out = albedo * e * dark
    f0 = gloss * (1 - 0.6 * car.dirt * low)
    fresnel = f0 + (1 - f0) * np.where(gloss > 0.005, 1, 0) * (1 - cos) ** 5 * 0.8
    r = 2 * (n * to).sum(1)[:, None] * n - to
    mirror = light.mirrored(r)
    near_road = np.clip(0.3 + local[:, 2] / 0.5, 0.3, 1)[:, None]
    out = out + fresnel[:, None] * mirror * dark * near_road
    if car.flakes and light.sun is not None:
        lobe = np.clip((r * light.sun_direction.astype(np.float32)).sum(1), 0, 1) ** 12
        out = out + (layers[:, 3] * car.flakes * lobe)[:, None] * car.paint * np.float32(light.sun_colour) * 1.2
    if light.flash:
        # reflectors and the lamps' prisms reflect infra-red back to its source
        back = layers[:, 5] * 3 + (layers[:, :3].max(1) > 0.3) * (layers[:, 0] > layers[:, 1] * 2) * 2
        out = out + (light.flash * 100 / distance[:, 0] ** 2 * np.minimum(back, 3) * cos**3 * 0.8)[
            :, None
        ] * albedo.max(1, keepdims=True)
        glint = np.clip((r * to).sum(1), 0, 1) ** 200
        out = out + (light.flash * 100 / distance[:, 0] ** 2 * glint * fresnel * 4)[:, None]
    if light.lamps:
        back = (np.abs(normal[:, 1]) > 0.2) & (normal[:, 1] < 0)
        strength = np.where(back, 2.6 if pose.brake else 1.1, 5.0) * light.lamps
        out = out + (layers[:, 5] * strength)[:, None] * layers[:, :3]
    elif pose.brake:
        out = out + (layers[:, 5] * (normal[:, 1] < 0) * 1.6)[:, None] * layers[:, :3]
    return out


def paste_tag(rgba, tag, quad, normal, position, view, light, which):
    """Paste the plate onto the tile; it reflects more than paint, and much more of the camera's own lamp."""
    factor = np.linalg.norm(quad[1] - quad[0]) / max(1.0, np.linalg.norm(tag.corners[1] - tag.corners[0]))
    if factor < 0.01:
        return
    image, alpha, k = tag.image, tag.alpha, 1.0
    while factor < 0.5 * k:  # halve first, so that no stroke is lost between samples
        image = cv2.resize(image, (image.shape[1] // 2, image.shape[0] // 2), interpolation=cv2.INTER_AREA)
        alpha = cv2.resize(alpha, (alpha.shape[1] // 2, alpha.shape[0] // 2), interpolation=cv2.INTER_AREA)
        k /= 2
    scale = np.float64([image.shape[1] / tag.image.shape[1], image.shape[0] / tag.image.shape[0]])
    m = cv2.getPerspectiveTransform(np.float32(tag.corners * scale - 0.5), np.float32(quad - 0.5))
    size = (rgba.shape[1], rgba.shape[0])
    a = cv2.warpPerspective(alpha, m, size, flags=cv2.INTER_LINEAR)[..., None]
    colour = cv2.warpPerspective(image, m, size, flags=cv2.INTER_LINEAR)
    n, p = np.float32(normal)[None], np.float32(position)[None]
    e = incoming(light, n, p, view)[0] * 0.92
    to = view.at - position
    if light.flash:
        cos = max(0.0, float(normal @ to / np.linalg.norm(to)))
        e = e + light.flash * 100 / (to @ to) * 0.5 * cos
    if light.lamps and which == "rear":
        e = e + np.float32((0.5, 0.47, 0.42)) * light.lamps  # the plate's own lamp
    rgba[..., :3] = rgba[..., :3] * (1 - a) + colour * e * a
    rgba[..., 3:] = np.maximum(rgba[..., 3:], a)


def glare(car, pose, view, light):
    """Lamps bright enough to bloom: [(u, v, strength, colour, radius px)]."""
    s = car.shape
    if not light.lamps and not light.flash:
        return []
    out = []
    facing = np.cos(np.radians(pose.heading))
    if facing < 0:
        z, y, colour, strength = sum(s.head_z) / 2, s.length / 2 - 0.1, (1.0, 0.96, 0.9), 1.0
        spots = [(-s.width / 2 + 0.25, y, z), (s.width / 2 - 0.25, y, z)]
    else:
        z, y, colour, strength = sum(s.lamp_z) / 2, -s.length / 2 + 0.1, (1.0, 0.10, 0.06), 0.35 if pose.brake else 0.12
        spots = [(-s.width / 2 + 0.15, y, z), (s.width / 2 - 0.15, y, z)]
    u, v, d = view.project(pose.world(np.array(spots)))
    for k in range(2):
        if d[k] > 1:
            out.append(
                (u[k], v[k], strength * max(light.lamps, 0.35 if light.flash else 0), colour, view.focal / d[k] * 0.07)
            )
    return out
