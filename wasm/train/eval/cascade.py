"""The cascade of docs/model-format.md in Python: the reference for accuracy, not for speed."""
from dataclasses import dataclass, field
from typing import List, Optional, Tuple

import numpy as np

from export import psm
from eval.beam import judge, log_softmax
from data.camera_effects import grow
from nets.simulate import Simulation
from data.cuts import halves
from nets.shapes import CLASSES
from eval.sampling import Pyramid, coarse_size, normalise
from data.syntax import mix, mix_letters, rescore

IOU_SAME_BOX, IOU_SAME_QUAD = 0.4, 0.5
FILLS = 0.4
MOST_CANDIDATES = 16
CUT_FACTOR, CUT_ASIDE, CUT_ABOVE = 0.25, 0.12, 0.15


@dataclass
class Detection:
    """A plate that was read. `quad` [4, 2] frame pixels; `texts` [(text, probability)], best first."""

    plate: str
    confidence: float
    quad: np.ndarray
    score: float
    texts: List[Tuple[str, float]] = field(default_factory=list)
    region: Optional[str] = None
    region_confidence: float = 0.0


def iou(a, b):
    """Intersection over union of boxes (x0, y0, x1, y1)."""
    w, h = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    if w <= 0 or h <= 0:
        return 0.0
    both = w * h
    return both / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - both)


def aspect(quad):
    """Mean width over mean height."""
    side = lambda a, b: float(np.hypot(*(quad[a] - quad[b])))
    return (side(0, 1) + side(3, 2)) / max(side(0, 3) + side(1, 2), 1e-6)


def cut(quad, size):
    """Whether the frame's edge cuts the plate; one that reaches both edges is a close-up, not cut."""
    (w, h), sides = size, [(quad[a] + quad[b]) / 2 for a, b in ((0, 3), (1, 2), (0, 1), (3, 2))]
    width, height = np.linalg.norm(sides[1] - sides[0]), np.linalg.norm(sides[3] - sides[2])
    aside, above = CUT_ASIDE * width, CUT_ABOVE * height
    return (sides[0][0] < aside) != (sides[1][0] > w - aside) or (sides[2][1] < -above) != (sides[3][1] > h + above)


def sigmoid(x):
    return 1 / (1 + np.exp(-np.clip(x, -50, 50)))


def peaks(out, floor, most, crowd=1.0):
    """Coarse map [5, h, w] -> [(score, cx, cy, w, h)] in input pixels, best first, duplicates removed."""
    heat = sigmoid(out[0])
    h, w = heat.shape
    padded = np.pad(heat, 1, constant_values=-1)
    around = [padded[1 + dy : 1 + dy + h, 1 + dx : 1 + dx + w] for dy in (-1, 0, 1) for dx in (-1, 0, 1)]
    top = heat > floor
    for k, other in enumerate(around):
        if k < 4:
            top &= heat > other  # the first in row order wins a tie
        elif k > 4:
            top &= heat >= other
    found = []
    for y, x in zip(*np.nonzero(top)):
        dx, dy, lw, lh = out[1:, y, x]
        found.append(
            (float(heat[y, x]), (x + 0.5 + dx) * 8, (y + 0.5 + dy) * 8, 8 * np.exp(min(lw, 6)), 8 * np.exp(min(lh, 6)))
        )
    found.sort(key=lambda f: -f[0])
    kept = []
    for f in found:
        if len(kept) >= most and f[0] < crowd:
            break
        box = (f[1] - f[3] / 2, f[2] - f[4] / 2, f[1] + f[3] / 2, f[2] + f[4] / 2)
        if all(iou(box, b) <= IOU_SAME_BOX for _, b in kept):
            kept.append((f, box))
        if len(kept) == MOST_CANDIDATES:
            break
    return [f for f, _ in kept]


class Cascade:
    """A model file, ready to recognize frames (uint8 luma [h, w])."""

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
        return [
            (s, x * sx, y * sy, bw * sx, bh * sy)
            for s, x, y, bw, bh in peaks(out, self.k["coarseFloor"], self.k["candidates"], self.k.get("crowdFloor", 1))
        ]

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
        corners = np.float64(
            [((x + 0.5) * 8 + 32 * out[1 + 2 * k, y, x], (y + 0.5) * 8 + 32 * out[2 + 2 * k, y, x]) for k in range(4)]
        )
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

    def look(self, pyramid, quad, margins, lines):
        """[log-probabilities [columns, 37]] of the reader at each margin;
        the columns of a second line follow those of the first."""
        graph = self.nets[3].graph
        grown = [grow(quad, m, m, m, m) for m in margins]
        parts = [part for g in grown for part in ([g] if lines == 1 else halves(g))]
        out = self.runs[3](np.stack([normalise(pyramid.quad(part, graph.input_w, graph.input_h)) for part in parts]))[
            :, :, 0
        ]
        columns = [log_softmax(o[:CLASSES].T) for o in out]
        return [np.concatenate(columns[k * lines : (k + 1) * lines]) for k in range(len(margins))]

    def issuer(self, pyramid, quad):
        """Probability of each region (rule 8); empty for a model that names none."""
        if 4 not in self.nets:
            return np.zeros(0)
        graph, m = self.nets[4].graph, self.k["readMargins"][0]
        out = self.runs[4](normalise(pyramid.quad(grow(quad, m, m, m, m), graph.input_w, graph.input_h))[None])[0]
        return np.exp(log_softmax(self.k.get("regionScale", 1) * out[:, 0].mean(1)))

    def read(self, pyramid, quad):
        """([(text, probability)] of the text in the quad, probabilities of the regions)"""
        first, *others = self.k["readMargins"]
        best = lambda look: judge([look], self.k["beam"])[0]
        sure = lambda text: text[1] if len(text[0]) >= 3 else 0.0
        looks, lines = self.look(pyramid, quad, [first], 1), 1
        text = best(looks[0])
        if sure(text) < self.k.get("readSure", 1) and aspect(quad) < self.k.get("twoLineBelow", 0):
            double = self.look(pyramid, quad, [first], 2)
            if sure(best(double[0])) > sure(text):
                looks, lines, text = double, 2, best(double[0])
        if (
            self.k.get("readHopeless", 0) <= text[1] < self.k.get("readSure", 1) and len(text[0]) >= 3
        ):  # else the first crop decides
            looks += self.look(pyramid, quad, others, lines)
        texts = judge(looks, self.k["beam"])
        if len(texts[0][0]) < 3:
            return texts, np.zeros(0)
        regions = self.issuer(pyramid, quad)
        return (
            rescore(
                texts,
                self.shares(regions),
                self.k.get("syntaxWeight", 0),
                self.letters(regions),
                self.k.get("letterWeight", 0),
            ),
            regions,
        )

    def shares(self, regions):
        """Table of shapes for a plate whose region is as probable as `regions` says."""
        logs, tables = self.meta.get("syntax"), self.meta.get("syntaxByRegion", {})
        if not logs or not len(regions):
            return logs
        return mix(
            logs,
            [(p, tables.get(name, {})) for name, p in zip(self.meta["regions"], regions)],
            self.k.get("regionSyntax", 0),
        )

    def letters(self, regions):
        """{letter: ratio} for a plate whose region is as probable as `regions` says."""
        tables = self.meta.get("letters", {})
        return (
            mix_letters([(p, tables.get(name, {})) for name, p in zip(self.meta.get("regions", ()), regions)])
            if len(regions)
            else {}
        )

    def confidence(self, p):
        p = min(max(p, 1e-6), 1 - 1e-6)
        return float(sigmoid(self.k["calibA"] * np.log(p / (1 - p)) + self.k["calibB"]))

    def __call__(self, luma, boxes=None):
        """-> [Detection], most confident first.
        Boxes far below the best score are examined only when the others have no text."""
        pyramid = Pyramid(luma)
        if boxes is None and luma.size < self.k.get("closeUpBelow", 0):
            filled = self.plates(pyramid, [self.whole(pyramid)], may_be_cut=False)
            if filled:
                return filled
        boxes = self.boxes(pyramid) if boxes is None else boxes
        sure = [b for b in boxes if b[0] >= self.k.get("coarseShare", 0) * boxes[0][0]]
        return self.detections(pyramid, sure) or self.detections(pyramid, boxes[len(sure) :])

    def whole(self, pyramid):
        """(score, quad, coarse score) of the only plate of a close-up:
        the quad that fills the frame, else the frame itself."""
        w, h = pyramid.size
        score, quad = self.fine(pyramid, (1.0, w / 2, h / 2, w, h))
        if score > self.k["fineFloor"] and iou((*quad.min(0), *quad.max(0)), (0, 0, w, h)) >= FILLS:
            return score, quad, 1.0
        return self.k["fineFloor"], np.float64([[0, 0], [w, 0], [w, h], [0, h]]), 1.0

    def detections(self, pyramid, boxes):
        """[Detection] of these boxes, most confident first."""
        return self.plates(pyramid, self.quads(pyramid, boxes))

    def plates(self, pyramid, quads, may_be_cut=True):
        """[Detection] of these quads, most confident first."""
        out = []
        for score, quad, _ in quads:
            texts, regions = self.read(pyramid, quad)
            text, p = texts[0]
            c = self.confidence(p)
            if len(text) >= 3 and c >= self.k["readFloor"]:
                c *= CUT_FACTOR if may_be_cut and cut(quad, pyramid.size) else 1
                named = int(regions.argmax()) if len(regions) else 0
                dares = len(regions) > 0 and regions[named] >= self.k.get("regionFloor", 1)
                out.append(
                    Detection(
                        text,
                        c,
                        quad,
                        score,
                        texts,
                        self.meta["regions"][named] if dares else None,
                        float(regions[named]) if dares else 0.0,
                    )
                )
        return sorted(out, key=lambda d: -d.confidence)
