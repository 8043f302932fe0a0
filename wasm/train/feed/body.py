"""The shapes of cars: a few families of bodies, each a smooth implicit solid, as meshes.

Car coordinates, metres: x to the car's right, y to its front, z up; the origin is on the road under the car's middle.
"""
import functools
from dataclasses import dataclass, field
from typing import List, Tuple

import numpy as np

Line = List[Tuple[float, float]]


@dataclass(frozen=True)
class Shape:
    """One family of bodies. `top`, `rear`, `front` are polylines:
    (y, z) from the rear to the front, and (z, metres inwards)."""

    name: str
    length: float
    width: float
    height: float
    belt: float  # lower edge of the side windows
    lean: float  # how far the sides lean in above the belt, metres a metre
    clearance: float
    wheel: float  # radius
    axles: Tuple[float, float]
    top: Tuple[Tuple[float, float], ...] = field(default=())
    rear: Tuple[Tuple[float, float], ...] = field(default=())
    front: Tuple[Tuple[float, float], ...] = field(default=())
    rear_plate: float = 0.8  # height of the plate's middle
    front_plate: float = 0.5
    glass_top: float = 0.10  # frame above the rear window, metres
    rear_glass: Tuple[float, float] = (1.05, 1.36)
    front_glass: Tuple[float, float] = (1.0, 1.38)
    lamp_z: Tuple[float, float] = (0.72, 0.9)
    head_z: Tuple[float, float] = (0.62, 0.76)


SHAPES = {
    s.name: s
    for s in (
        Shape(
            "sedan",
            4.75,
            1.84,
            1.45,
            0.95,
            0.44,
            0.19,
            0.33,
            (-1.38, 1.42),
            (
                (-2.4, 1.0),
                (-2.2, 1.05),
                (-1.7, 1.09),
                (-1.45, 1.12),
                (-0.62, 1.41),
                (0.0, 1.45),
                (0.42, 1.40),
                (1.22, 1.02),
                (2.1, 0.84),
                (2.4, 0.72),
            ),
            (
                (0.15, 0.14),
                (0.3, 0.03),
                (0.42, 0.0),
                (0.58, 0.0),
                (0.64, 0.05),
                (0.85, 0.05),
                (0.98, 0.02),
                (1.1, 0.12),
            ),
            ((0.15, 0.16), (0.32, 0.02), (0.45, 0.0), (0.58, 0.03), (0.72, 0.12), (0.9, 0.3)),
            rear_plate=0.80,
            front_plate=0.42,
            rear_glass=(1.13, 1.375),
            front_glass=(1.04, 1.37),
            lamp_z=(0.74, 0.93),
            head_z=(0.60, 0.73),
        ),
        Shape(
            "hatch",
            4.25,
            1.79,
            1.50,
            0.97,
            0.40,
            0.18,
            0.32,
            (-1.27, 1.33),
            (
                (-2.2, 1.38),
                (-1.9, 1.44),
                (-0.6, 1.50),
                (0.1, 1.50),
                (0.5, 1.44),
                (1.22, 1.06),
                (1.9, 0.92),
                (2.15, 0.8),
            ),
            ((0.15, 0.14), (0.3, 0.02), (0.42, 0.0), (0.6, 0.0), (0.66, 0.06), (0.98, 0.10), (1.36, 0.38), (1.5, 0.5)),
            ((0.15, 0.16), (0.32, 0.02), (0.45, 0.0), (0.62, 0.03), (0.8, 0.14), (1.0, 0.3)),
            rear_plate=0.78,
            front_plate=0.44,
            rear_glass=(1.03, 1.36),
            front_glass=(1.08, 1.41),
            lamp_z=(0.78, 0.98),
            head_z=(0.66, 0.80),
        ),
        Shape(
            "suv",
            4.68,
            1.89,
            1.70,
            1.08,
            0.34,
            0.24,
            0.37,
            (-1.36, 1.42),
            (
                (-2.35, 1.62),
                (-2.0, 1.66),
                (-0.6, 1.70),
                (0.1, 1.69),
                (0.55, 1.62),
                (1.2, 1.18),
                (2.0, 1.04),
                (2.35, 0.92),
            ),
            ((0.2, 0.16), (0.36, 0.02), (0.48, 0.0), (0.66, 0.0), (0.72, 0.06), (1.1, 0.08), (1.55, 0.33), (1.7, 0.42)),
            ((0.2, 0.16), (0.38, 0.02), (0.5, 0.0), (0.72, 0.02), (0.95, 0.1), (1.1, 0.25)),
            rear_plate=0.93,
            front_plate=0.55,
            rear_glass=(1.17, 1.53),
            front_glass=(1.20, 1.58),
            lamp_z=(0.92, 1.12),
            head_z=(0.76, 0.92),
        ),
        Shape(
            "pickup",
            5.7,
            1.99,
            1.88,
            1.24,
            0.30,
            0.36,
            0.41,
            (-1.75, 1.85),
            (
                (-2.9, 1.34),
                (-2.7, 1.36),
                (-1.08, 1.36),
                (-0.95, 1.78),
                (-0.5, 1.87),
                (0.2, 1.88),
                (0.62, 1.80),
                (1.3, 1.33),
                (2.6, 1.22),
                (2.9, 1.1),
            ),
            ((0.3, 0.16), (0.48, 0.02), (0.55, 0.0), (0.74, 0.0), (0.78, 0.12), (1.3, 0.12), (1.5, 0.14)),
            ((0.3, 0.2), (0.45, 0.04), (0.52, 0.0), (0.76, 0.0), (0.8, 0.06), (1.15, 0.1), (1.3, 0.2)),
            rear_plate=0.655,
            front_plate=0.66,
            rear_glass=(1.44, 1.74),
            front_glass=(1.36, 1.76),
            lamp_z=(0.86, 1.26),
            head_z=(0.88, 1.06),
        ),
        Shape(
            "van",
            5.1,
            1.98,
            1.86,
            1.10,
            0.22,
            0.20,
            0.35,
            (-1.5, 1.6),
            (
                (-2.6, 1.78),
                (-2.3, 1.84),
                (-0.6, 1.86),
                (0.6, 1.84),
                (1.0, 1.72),
                (1.75, 1.16),
                (2.35, 0.98),
                (2.6, 0.86),
            ),
            ((0.2, 0.14), (0.34, 0.02), (0.46, 0.0), (0.62, 0.0), (0.68, 0.05), (1.1, 0.07), (1.7, 0.24), (1.85, 0.3)),
            ((0.2, 0.16), (0.34, 0.02), (0.48, 0.0), (0.68, 0.04), (0.9, 0.16), (1.1, 0.4)),
            rear_plate=0.88,
            front_plate=0.50,
            rear_glass=(1.18, 1.66),
            front_glass=(1.20, 1.70),
            lamp_z=(0.95, 1.35),
            head_z=(0.70, 0.88),
        ),
    )
}


def smooth_line(points, x, radius):
    """Polyline through (x, y) points, its corners rounded over `radius`, at x."""
    px, py = np.array(points).T
    steps = np.linspace(-1, 1, 9)
    w = np.exp(-2 * steps**2)
    return sum(k * np.interp(x + s * radius, px, py) for k, s in zip(w / w.sum(), steps))


def union_edge(a, b, radius):
    """The larger of a and b, the edge between them rounded."""
    h = np.maximum(radius - np.abs(a - b), 0) / radius
    return np.maximum(a, b) + h * h * radius / 4


def half_width(shape, y, z):
    """Of the body at height z, without the rounding of the ends."""
    below = 0.10 * np.clip((0.62 * shape.belt - z), 0, None) ** 1.3
    above = shape.lean * np.clip(z - shape.belt, 0, None)
    shoulder = 0.035 / (1 + np.exp(-(z - shape.belt + 0.02) / 0.018))  # the glass is inset behind the sill line
    crease = 0.012 * np.exp(-(((z - 0.72 * shape.belt) / 0.03) ** 2))
    ends = 0.16 * np.clip((np.abs(y) / (shape.length / 2) - 0.55) / 0.45, 0, None) ** 2.2
    return shape.width / 2 - below - above - shoulder + crease - ends


def solid(shape, p):
    """Negative inside the body; about metres."""
    x, y, z = p[..., 0], p[..., 1], p[..., 2]
    across = np.abs(x) / (shape.width / 2)
    side = np.abs(x) - half_width(shape, y, z)
    top = z - smooth_line(shape.top, y, 0.10) + 0.05 * across**2.4
    rear = (-shape.length / 2 + smooth_line(shape.rear, z, 0.03) + 0.13 * across**3) - y
    front = y - (shape.length / 2 - smooth_line(shape.front, z, 0.03) - 0.30 * across**2.6)
    bottom = shape.clearance - z
    f = union_edge(side, top, 0.13)
    f = union_edge(f, union_edge(rear, front, 0.05), 0.10)
    return union_edge(f, bottom, 0.05)


@functools.lru_cache(maxsize=32)
def body_mesh(name, n):
    """(points [v, 3], normals [v, 3], triangles [t, 3]) with n x n cells on each of the six sides of the car."""
    shape = SHAPES[name]
    half = np.array([shape.width / 2, shape.length / 2, shape.height / 2]) * 1.02
    centre = np.array([0.0, -0.05, 0.36 * shape.height])
    box_centre = np.array([0.0, 0.0, shape.height / 2])
    g = np.linspace(-1, 1, n + 1)
    a, b = np.meshgrid(g, g, indexing="ij")
    one = np.ones_like(a)
    targets, cells = [], []
    for axis in range(3):
        for sign in (-1, 1):
            q = np.stack([[sign * one, a, b], [a, sign * one, b], [a, b, sign * one]][axis], -1).reshape(-1, 3)
            base = len(targets) * (n + 1) ** 2
            i, j = np.meshgrid(np.arange(n), np.arange(n), indexing="ij")
            k = (base + i * (n + 1) + j).ravel()
            quad = np.stack([k, k + n + 1, k + n + 2, k + 1], 1)
            cells.append(quad)
            targets.append(box_centre + q * half * 1.25)
    ends = np.concatenate(targets)
    low, high = np.zeros(len(ends)), np.ones(len(ends))
    for _ in range(22):
        t = (low + high) / 2
        inside = solid(shape, centre + (ends - centre) * t[:, None]) < 0
        low, high = np.where(inside, t, low), np.where(inside, high, t)
    points = centre + (ends - centre) * low[:, None]
    e = 0.012
    normals = np.stack([solid(shape, points + d) - solid(shape, points - d) for d in np.eye(3) * e], -1)
    normals /= np.maximum(np.linalg.norm(normals, axis=-1, keepdims=True), 1e-9)
    quads = np.concatenate(cells)
    triangles = np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])
    return points, normals, facing(points, normals, triangles)


@functools.lru_cache(maxsize=32)
def wheel_mesh(radius, width, n=40):
    """A wheel about the x axis centred at the origin: tread, rounded shoulders, a dished rim."""
    profile = [
        (-0.5, 0.0),
        (-0.42, 0.55),
        (-0.48, 0.66),
        (-0.5, 0.85),
        (-0.42, 0.97),
        (-0.2, 1.0),
        (0.2, 1.0),
        (0.42, 0.97),
        (0.5, 0.85),
        (0.48, 0.66),
        (0.42, 0.55),
        (0.5, 0.0),
    ]
    prof = np.array(profile) * (width, radius)
    t = np.linspace(0, 2 * np.pi, n + 1)
    points = np.stack(
        [
            np.repeat(prof[:, 0], n + 1),
            np.outer(prof[:, 1], np.cos(t)).ravel(),
            np.outer(prof[:, 1], np.sin(t)).ravel(),
        ],
        -1,
    )
    slope = np.gradient(prof, axis=0)
    nx, nr = -slope[:, 1], slope[:, 0]
    normals = np.stack([np.repeat(nx, n + 1), np.outer(nr, np.cos(t)).ravel(), np.outer(nr, np.sin(t)).ravel()], -1)
    normals /= np.maximum(np.linalg.norm(normals, axis=-1, keepdims=True), 1e-9)
    i, j = np.meshgrid(np.arange(len(prof) - 1), np.arange(n), indexing="ij")
    k = (i * (n + 1) + j).ravel()
    quads = np.stack([k, k + 1, k + n + 2, k + n + 1], 1)
    return points, normals, facing(points, normals, np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]]))


@functools.lru_cache(maxsize=8)
def ball_mesh(n=14):
    """A unit ball."""
    a, b = np.meshgrid(np.linspace(-np.pi / 2, np.pi / 2, n + 1), np.linspace(0, 2 * np.pi, 2 * n + 1), indexing="ij")
    points = np.stack([np.cos(a) * np.cos(b), np.cos(a) * np.sin(b), np.sin(a)], -1).reshape(-1, 3)
    i, j = np.meshgrid(np.arange(n), np.arange(2 * n), indexing="ij")
    k = (i * (2 * n + 1) + j).ravel()
    quads = np.stack([k, k + 1, k + 2 * n + 2, k + 2 * n + 1], 1)
    return points, points.copy(), facing(points, points, np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]]))


def box_mesh(low, high):
    """An axis-aligned box."""
    low, high = np.array(low, float), np.array(high, float)
    points, normals, quads = [], [], []
    for axis in range(3):
        for sign in (0, 1):
            o = [k for k in range(3) if k != axis]
            corner = np.array([[0, 0], [1, 0], [1, 1], [0, 1]])
            p = np.empty((4, 3))
            p[:, axis] = sign
            p[:, o] = corner
            n = np.zeros(3)
            n[axis] = 2 * sign - 1
            base = len(points) * 4
            points.append(low + p * (high - low))
            normals.append(np.tile(n, (4, 1)))
            quads.append([base, base + 1, base + 2, base + 3])
    quads, points, normals = np.array(quads), np.concatenate(points), np.concatenate(normals)
    return points, normals, facing(points, normals, np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]]))


def facing(points, normals, triangles):
    """Triangles oriented clockwise on the screen when seen from outside (the rasteriser's front)."""
    p = points[triangles]
    face = np.cross(p[:, 1] - p[:, 0], p[:, 2] - p[:, 0])
    flip = (face * normals[triangles].sum(1)).sum(1) > 0
    out = triangles.copy()
    out[flip] = out[flip][:, ::-1]
    return out
