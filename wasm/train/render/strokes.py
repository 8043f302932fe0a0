"""A plate-like alphabet drawn by a program: rounded strokes of one thickness, as plates are embossed.

There is no freely licensed copy of the US or European plate letters, and a reader trained on a few
fonts learns those fonts. So each `StrokeFace` draws its own variant: corner radius, stroke weight, widths,
slant and the shapes that differ between makers (1, 4, 7, G, J, M, Q, W, ...) are all random.

A glyph is a list of paths; a path is a list of (x, y, round): x and y in 0..1 (y down), round the corner
radius as a fraction of the face's radius.
"""
import cv2
import numpy as np


def box(x0, y0, x1, y1, r=1.0):
    """Closed rounded box, started in the middle of the top so that all four corners are rounded."""
    mid = (x0 + x1) / 2
    return [(mid, y0, 0), (x1, y0, r), (x1, y1, r), (x0, y1, r), (x0, y0, r), (mid, y0, 0)]


def skeleton(char, v):
    """Paths of one character. `v` maps the name of a variant to a number in 0..1, fixed for a face."""
    w = 0.44 + 0.08 * v["waist"]  # height of the middle bars
    if char == "0":
        paths = [box(0, 0, 1, 1)]
        if v["slash"] < 0.06:
            paths.append([(0.2, 0.8, 0), (0.8, 0.2, 0)])
        return paths
    if char == "O":
        return [box(0, 0, 1, 1, 1.0 if v["o"] < 0.7 else 1.4)]
    if char == "1":
        if v["one"] < 0.4:
            return [[(0.5, 0, 0), (0.5, 1, 0)]] if v["one"] < 0.12 else [[(0.15, 0.2, 0), (0.5, 0, 0), (0.5, 1, 0)]]
        foot = [[(0.1, 1, 0), (0.9, 1, 0)]] if v["one"] < 0.75 else []
        return [[(0.1, 0.2, 0), (0.5, 0, 0), (0.5, 1, 0)]] + foot
    if char == "2":
        return [[(0, 0.22, 0), (0, 0, 1), (1, 0, 1), (1, 0.42, 0.8), (0, 0.9, 0.4), (0, 1, 0), (1, 1, 0)]]
    if char == "3":
        if v["three"] < 0.15:
            return [[(0, 0, 0), (1, 0, 0), (0.4, w - 0.05, 0.1), (1, w, 1), (1, 1, 1), (0, 1, 1), (0, 0.8, 0)]]
        return [
            [(0, 0.2, 0), (0, 0, 1), (0.95, 0, 1), (0.95, w, 0.9), (0.35, w, 0)],
            [(0.35, w, 0), (1, w, 0.9), (1, 1, 1), (0, 1, 1), (0, 0.8, 0)],
        ]
    if char == "4":
        if v["four"] < 0.25:
            return [[(0, 0, 0), (0, 0.58, 0.2), (1, 0.58, 0)], [(0.75, 0.25, 0), (0.75, 1, 0)]]
        y = 0.68 + 0.1 * v["waist"]
        x = 0.68 + 0.15 * v["o"]
        return [[(1, y, 0), (0, y, 0), (x - 0.12 * v["three"], 0, 0), (x, 0, 0), (x, 1, 0)]]
    if char == "5":
        return [
            [
                (0.95, 0, 0),
                (0.06, 0, 0),
                (0.03, w, 0),
                (0.2, w - 0.06, 0.4),
                (1, w - 0.08, 1),
                (1, 1, 1),
                (0, 1, 1),
                (0, 0.8, 0),
            ]
        ]
    if char == "6":
        if v["six"] < 0.3:
            return [box(0, w, 1, 1), [(0, 0.7, 0), (0, 0.5, 0.8), (0.75, 0, 0)]]
        return [box(0, w, 1, 1), [(0, 0.75, 0), (0, 0, 1), (1, 0, 1), (1, 0.2, 0)]]
    if char == "7":
        bend = [(0.35, 0.6, 0.6), (0.35, 1, 0)] if v["seven"] < 0.4 else [(0.25, 1, 0)]
        return [[(0, 0, 0), (1, 0, 0)], [(1, 0, 0), (1, 0.08, 0)] + bend]
    if char == "8":
        return [box(0.05, 0, 0.95, w), box(0, w, 1, 1)]
    if char == "9":
        if v["six"] < 0.3:
            return [box(0, 0, 1, 1 - w), [(1, 0.3, 0), (1, 0.5, 0.8), (0.25, 1, 0)]]
        return [box(0, 0, 1, 1 - w), [(1, 0.25, 0), (1, 1, 1), (0, 1, 1), (0, 0.8, 0)]]
    if char == "A":
        y = 0.62 + 0.12 * v["waist"]
        if v["a"] < 0.1:
            return [[(0, 1, 0), (0, 0, 1), (1, 0, 1), (1, 1, 0)], [(0, 0.55, 0), (1, 0.55, 0)]]
        return [[(0, 1, 0), (0.45, 0, 0), (0.55, 0, 0), (1, 1, 0)], [(0.18, y, 0), (0.82, y, 0)]]
    if char == "B":
        return [
            [(0, 0, 0), (0.93, 0, 0.9), (0.93, w, 0.9), (0, w, 0)],
            [(0, w, 0), (1, w, 0.9), (1, 1, 0.9), (0, 1, 0), (0, 0, 0)],
        ]
    if char == "C":
        return [[(1, 0.24, 0), (1, 0, 1), (0, 0, 1), (0, 1, 1), (1, 1, 1), (1, 0.76, 0)]]
    if char == "D":
        return [[(0.4, 0, 0), (1, 0, 1), (1, 1, 1), (0, 1, 0), (0, 0, 0), (0.4, 0, 0)]]
    if char == "E":
        return [[(1, 0, 0), (0, 0, 0), (0, 1, 0), (1, 1, 0)], [(0, w + 0.02, 0), (0.8, w + 0.02, 0)]]
    if char == "F":
        return [[(1, 0, 0), (0, 0, 0), (0, 1, 0)], [(0, w + 0.02, 0), (0.8, w + 0.02, 0)]]
    if char == "G":
        tail = [(1, 0.54, 0), (0.55, 0.54, 0)]
        paths = [[(1, 0.22, 0), (1, 0, 1), (0, 0, 1), (0, 1, 1), (1, 1, 1)] + tail]
        if v["g"] < 0.3:
            paths.append([(1, 0.54, 0), (1, 1, 0)])
        return paths
    if char == "H":
        return [[(0, 0, 0), (0, 1, 0)], [(1, 0, 0), (1, 1, 0)], [(0, w + 0.03, 0), (1, w + 0.03, 0)]]
    if char == "I":
        stem = [[(0.5, 0, 0), (0.5, 1, 0)]]
        return stem + ([[(0.1, 0, 0), (0.9, 0, 0)], [(0.1, 1, 0), (0.9, 1, 0)]] if v["i"] < 0.5 else [])
    if char == "J":
        bar = [[(0.4, 0, 0), (1, 0, 0)]] if v["j"] < 0.15 else []
        return bar + [[(1, 0, 0), (1, 1, 1), (0, 1, 1), (0, 0.72, 0)]]
    if char == "K":
        if v["k"] < 0.5:
            return [[(0, 0, 0), (0, 1, 0)], [(1, 0, 0), (0, 0.62, 0)], [(0.3, 0.42, 0), (1, 1, 0)]]
        return [[(0, 0, 0), (0, 1, 0)], [(1, 0, 0), (0.15, 0.5, 0), (1, 1, 0)], [(0, 0.5, 0), (0.15, 0.5, 0)]]
    if char == "L":
        return [[(0, 0, 0), (0, 1, 0), (1, 1, 0)]]
    if char == "M":
        y = 0.45 + 0.5 * v["m"]
        return [[(0, 1, 0), (0, 0, 0), (0.5, y, 0), (1, 0, 0), (1, 1, 0)]]
    if char == "N":
        return [[(0, 1, 0), (0, 0, 0), (1, 1, 0), (1, 0, 0)]]
    if char == "P":
        y = w + 0.08
        return [[(0, 1, 0), (0, 0, 0), (1, 0, 0.9), (1, y, 0.9), (0, y, 0)]]
    if char == "Q":
        tail = [(0.55, 0.72, 0), (1, 1.02, 0)] if v["q"] < 0.7 else [(0.6, 0.85, 0), (1.0, 1.12, 0)]
        return [box(0, 0, 1, 1), tail]
    if char == "R":
        y = w + 0.06
        return [[(0, 1, 0), (0, 0, 0), (1, 0, 0.9), (1, y, 0.9), (0, y, 0)], [(0.45, y, 0), (1, 1, 0)]]
    if char == "S":
        return [
            [(1, 0.22, 0), (1, 0, 1), (0, 0, 1), (0, w, 0.9), (1, w + 0.04, 0.9), (1, 1, 1), (0, 1, 1), (0, 0.78, 0)]
        ]
    if char == "T":
        return [[(0, 0, 0), (1, 0, 0)], [(0.5, 0, 0), (0.5, 1, 0)]]
    if char == "U":
        return [[(0, 0, 0), (0, 1, 1), (1, 1, 1), (1, 0, 0)]]
    if char == "V":
        return [[(0, 0, 0), (0.47, 1, 0), (0.53, 1, 0), (1, 0, 0)]]
    if char == "W":
        y = 0.55 - 0.5 * v["m"]
        if v["w"] < 0.5:
            return [[(0, 0, 0), (0.02, 1, 0), (0.5, y, 0), (0.98, 1, 0), (1, 0, 0)]]
        return [[(0, 0, 0), (0.25, 1, 0), (0.5, y, 0), (0.75, 1, 0), (1, 0, 0)]]
    if char == "X":
        return [[(0, 0, 0), (1, 1, 0)], [(1, 0, 0), (0, 1, 0)]]
    if char == "Y":
        return [[(0, 0, 0), (0.5, 0.5, 0), (1, 0, 0)], [(0.5, 0.5, 0), (0.5, 1, 0)]]
    if char == "Z":
        return [[(0, 0, 0), (1, 0, 0), (0, 1, 0), (1, 1, 0)]]
    raise KeyError(char)


NARROW = {"1": 0.55, "I": 0.45, "J": 0.85, "L": 0.88, "E": 0.9, "F": 0.9, "M": 1.15, "W": 1.25, "T": 0.95}


def rounded(points, radius):
    """Polyline through `points` [(x, y, r)] in pixels with its corners rounded to `radius * r`."""
    out = [points[0][:2]]
    for (ax, ay, _), (bx, by, r), (cx, cy, _) in zip(points, points[1:], points[2:]):
        a, b, c = np.array((ax, ay)), np.array((bx, by)), np.array((cx, cy))
        la, lc = np.linalg.norm(a - b), np.linalg.norm(c - b)
        d = min(radius * r, la / 2 if la < 1e9 else la, lc / 2) if min(la, lc) > 0 else 0
        if d < 0.5:
            out.append((bx, by))
            continue
        p, q = b + (a - b) * d / la, b + (c - b) * d / lc
        for t in np.linspace(0, 1, 7):
            out.append(tuple((1 - t) ** 2 * p + 2 * t * (1 - t) * b + t * t * q))
    out.append(points[-1][:2])
    return np.array(out)


class StrokeFace:
    """One random alphabet. `glyph(char)` is a mask uint8 [HEIGHT, width] with the ink box cut tight in x."""

    HEIGHT = 96

    def __init__(self, rng):
        names = "waist slash o one three four six seven a g i j k m q w".split()
        self.variants = {n: float(rng.random()) for n in names}
        self.width = rng.uniform(0.36, 0.58)  # of the height, middle of stroke to middle of stroke
        self.weight = rng.uniform(0.10, 0.17)  # stroke, of the height
        self.radius = rng.uniform(0.25, 0.62)  # corner radius, of the width
        self.slant = rng.normal(0, 0.01)
        self.mono = rng.random() < 0.25  # every character of one width
        self.zero = 1.0 if rng.random() < 0.5 else rng.uniform(0.82, 0.97)  # a narrower zero, where O is wide
        self.cut = rng.random() < 0.3  # square stroke ends
        self.cache = {}

    def glyph(self, char):
        if char not in self.cache:
            self.cache[char] = self._draw(char)
        return self.cache[char]

    def _draw(self, char):
        h, scale = self.HEIGHT, 2
        thick = self.weight * h * scale
        inner_h = h * scale - thick
        wide = (
            self.width
            * h
            * scale
            * (1 if self.mono and char not in "1I" else NARROW.get(char, 1))
            * (self.zero if char == "0" else 1)
        )
        pad = int(thick + h * scale * 0.15)
        canvas = np.zeros((h * scale + 2 * pad, int(wide) + 2 * pad + int(thick)), np.uint8)
        for path in skeleton(char, self.variants):
            pts = [(pad + thick / 2 + x * wide, pad + thick / 2 + y * inner_h, r) for x, y, r in path]
            line = rounded(pts, self.radius * wide)
            line[:, 0] -= (line[:, 1] - pad - h) * self.slant
            cv2.polylines(
                canvas, [np.round(line * 8).astype(np.int32)], False, 255, max(1, int(round(thick))), cv2.LINE_AA, 3
            )
        columns = np.flatnonzero(canvas.max(0) > 60)
        canvas = canvas[pad : pad + h * scale + int(0.1 * h * scale), columns[0] : columns[-1] + 1]
        canvas = (
            canvas[: h * scale]
            if char != "Q"
            else cv2.resize(canvas, (canvas.shape[1], h * scale), interpolation=cv2.INTER_AREA)
        )
        if self.cut:
            kernel = np.ones((3, 3), np.uint8)
            canvas = cv2.dilate(canvas, kernel)
        return cv2.resize(canvas, (max(2, canvas.shape[1] // scale), h), interpolation=cv2.INTER_AREA)
