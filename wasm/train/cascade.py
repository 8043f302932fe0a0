"""The cascade of docs/model-format.md in Python: the reference for accuracy, not for speed."""
from dataclasses import dataclass, field
from typing import List, Tuple

import numpy as np

import psm
from beam import judge, log_softmax
from looks import grow
from nets.simulate import Simulation
from sampling import Pyramid, coarse_size, normalise
from syntax import rescore

IOU_SAME_BOX, IOU_SAME_QUAD = 0.4, 0.5


@dataclass
class Detection:
    """A plate that was read. `quad` [4, 2] frame pixels; `texts` [(text, probability)], best first."""

    plate: str
    confidence: float
    quad: np.ndarray
    score: float
    texts: List[Tuple[str, float]] = field(default_factory=list)


def iou(a, b):
    """Of boxes (x0, y0, x1, y1)."""
    w, h = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    if w <= 0 or h <= 0:
        return 0.0
    both = w * h
    return both / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - both)


def sigmoid(x):
    return 1 / (1 + np.exp(-np.clip(x, -50, 50)))


def peaks(out, floor, most):
    """Coarse map [5, h, w] -> [(score, cx, cy, w, h)] in input pixels, best first, duplicates removed."""
    heat = sigmoid(out[0])
    h, w = heat.shape
    padded = np.pad(heat, 1, constant_values=-1)
    around = [padded[1 + dy:1 + dy + h, 1 + dx:1 + dx + w] for dy in (-1, 0, 1) for dx in (-1, 0, 1)]
    top = (heat > floor)
    for k, other in enumerate(around):
        if k < 4:
            top &= heat > other      # the first in row order wins a tie
        elif k > 4:
            top &= heat >= other
    found = []
    for y, x in zip(*np.nonzero(top)):
        dx, dy, lw, lh = out[1:, y, x]
        found.append((float(heat[y, x]), (x + 0.5 + dx) * 8, (y + 0.5 + dy) * 8, 8 * np.exp(min(lw, 6)), 8 * np.exp(min(lh, 6))))
    found.sort(key=lambda f: -f[0])
    kept = []
    for f in found:
        box = (f[1] - f[3] / 2, f[2] - f[4] / 2, f[1] + f[3] / 2, f[2] + f[4] / 2)
        if all(iou(box, b) <= IOU_SAME_BOX for _, b in kept):
            kept.append((f, box))
        if len(kept) == most:
            break
    return [f for f, _ in kept]


class Cascade:
    """A model file, ready to look at frames (uint8 luma [h, w])."""

    def __init__(self, path, constants=None):
        self.meta, self.nets = psm.read(path)
        self.k = {**self.meta["cascade"], **(constants or {})}
        self.runs = {kind: Simulation(q) for kind, q in self.nets.items()}

    def boxes(self, pyramid):
        """Coarse look -> [(score, cx, cy, w, h)] in frame pixels."""
        width, height = pyramid.size
        graph = self.nets[1].graph
        w, h = coarse_size(width, height, graph.input_h * graph.input_w)
        out = self.runs[1](normalise(pyramid.window(0, 0, width, height, w, h))[None])[0]
        sx, sy = width / w, height / h
        return [(s, x * sx, y * sy, bw * sx, bh * sy) for s, x, y, bw, bh in peaks(out, self.k["coarseFloor"], self.k["candidates"])]

    def fine(self, pyramid, box):
        """Fine look at one box -> (score, quad [4, 2] frame pixels)."""
        _, cx, cy, bw, bh = box
        graph = self.nets[2].graph
        zoom = self.k["fineZoom"]
        width = max(zoom * bw, 2 * zoom * bh, 48.0)
        height = width * graph.input_h / graph.input_w
        x0, y0 = cx - width / 2, cy - height / 2
        out = self.runs[2](normalise(pyramid.window(x0, y0, width, height, graph.input_w, graph.input_h))[None])[0]
        y, x = divmod(int(out[0].argmax()), out.shape[2])
        corners = np.float64([((x + 0.5) * 8 + 32 * out[1 + 2 * k, y, x], (y + 0.5) * 8 + 32 * out[2 + 2 * k, y, x]) for k in range(4)])
        return float(sigmoid(out[0, y, x])), corners * (width / graph.input_w) + (x0, y0)

    def quads(self, pyramid, boxes=None):
        """[(score, quad, coarse score)], duplicates removed, best first."""
        found = [(*self.fine(pyramid, b), b[0]) for b in (self.boxes(pyramid) if boxes is None else boxes)]
        found.sort(key=lambda f: -f[0])
        kept = []
        for score, quad, first in found:
            if score < self.k["fineFloor"]:
                continue
            bounds = (*quad.min(0), *quad.max(0))
            if all(iou(bounds, b) <= IOU_SAME_QUAD for _, b in kept):
                kept.append(((score, quad, first), bounds))
        return [k for k, _ in kept]

    def read(self, pyramid, quad):
        """[(text, probability)] of what stands in the quad."""
        graph = self.nets[3].graph
        crops = [normalise(pyramid.quad(grow(quad, m, m, m, m), graph.input_w, graph.input_h)) for m in self.k["readMargins"]]
        out = self.runs[3](np.stack(crops))[:, :, 0].transpose(0, 2, 1)
        looks = [log_softmax(o) for o in out]
        texts = judge(looks[:1], self.k["beam"])
        open_question = self.k.get("readHopeless", 0) <= texts[0][1] < self.k.get("readSure", 1)
        if open_question and len(texts[0][0]) >= 3:   # else the first look settles it
            texts = judge(looks, self.k["beam"])
        return rescore(texts, self.meta.get("syntax"), self.k.get("syntaxWeight", 0))

    def confidence(self, p):
        p = min(max(p, 1e-6), 1 - 1e-6)
        return float(sigmoid(self.k["calibA"] * np.log(p / (1 - p)) + self.k["calibB"]))

    def __call__(self, luma, boxes=None):
        """-> [Detection], surest first."""
        pyramid = Pyramid(luma)
        out = []
        for score, quad, _ in self.quads(pyramid, boxes):
            texts = self.read(pyramid, quad)
            text, p = texts[0]
            c = self.confidence(p)
            if len(text) >= 3 and c >= self.k["readFloor"]:
                out.append(Detection(text, c, quad, score, texts))
        return sorted(out, key=lambda d: -d.confidence)
