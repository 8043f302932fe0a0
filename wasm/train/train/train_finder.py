"""Train the coarse or the fine net. Resumes from its checkpoint; stops after --samples.

    python3 -m train.train_finder coarse --samples 150000
    python3 -m train.train_finder fine --samples 300000 --start-from coarse
"""
import argparse
import time

import cv2
import numpy as np
import torch
import torch.nn.functional as F

from eval.cascade import iou, peaks, sigmoid
from data.finder_data import CORNER_UNIT, CoarseData, FineData, corners_of, fields, graph, load_scenes
from train.ring import Ring
from train.run_state import RunState
from eval.sampling import coarse_size
from export.shipped import starting_state
from train.train_reader import inputs

BATCH = {"coarse": 16, "fine": 32}
READABLE = 13  # input pixels of the coarse look: 50 to 55 in a frame of 1280x720


class Maker:
    """A source of samples for the ring (a class, so that it can be named by a process)."""

    def __init__(self, kind):
        self.kind = kind

    def __call__(self, seed):
        return (CoarseData if self.kind == "coarse" else FineData)(seed).sample


def loss_of(out, batch, kind):
    """Focal loss on the heat (penalty-reduced around centres), L1 on the other outputs where known."""
    heat, reg, weight = (torch.from_numpy(batch[k].astype(np.float32)) for k in ("heat", "reg", "weight"))
    logit = out[:, 0]
    p = torch.sigmoid(logit).clamp(1e-4, 1 - 1e-4)
    centre = heat > 0.999
    count = centre.sum().clamp(min=1)
    positive = -(torch.log(p) * (1 - p) ** 2)[centre].sum()
    negative = -(torch.log(1 - p) * p**2 * (1 - heat) ** 4 * (weight >= 0))[~centre].sum()
    w = weight.clamp(min=0)[:, None]
    off = out[:, 1:] - reg
    if kind == "fine":
        off = F.smooth_l1_loss(out[:, 1:], reg, reduction="none", beta=0.05)
    regression = (off.abs() * w).sum() / w.sum().clamp(min=1)
    return (
        (positive + negative) / count + regression * (1.0 if kind == "coarse" else 1.5),
        (positive + negative).detach() / count,
        regression.detach(),
    )


@torch.no_grad()
def judge_coarse(net, full, empty):
    """
    On whole held-out photos: plates of READABLE input pixels or more among the best 3 boxes (IoU 0.4, which the fine
    look can correct), those that are the best of their photo; plates of any size whose centre is found; boxes above
    0.3 without a plate.
    """
    found_at, hit, wrong, total = [], 0, 0, 0
    for scene in full + empty:
        width, height = scene.size
        w, h = coarse_size(width, height, CoarseData.W * CoarseData.H)
        sx, sy = width / w, height / h
        view = scene.view(np.float64([[sx, 0, 0], [0, sy, 0]]), w, h)
        found = [
            (score, (x - bw / 2) * sx, (y - bh / 2) * sy, (x + bw / 2) * sx, (y + bh / 2) * sy)
            for score, x, y, bw, bh in peaks(net(inputs(view[None]))[0].numpy(), 0.05, 3)
        ]
        for x, y, bw, bh in scene.boxes:
            total += 1
            hit += any(x <= (f[1] + f[3]) / 2 <= x + bw and y <= (f[2] + f[4]) / 2 <= y + bh for f in found)
            if bw / sx >= READABLE:
                found_at.append(next((n for n, f in enumerate(found) if iou(f[1:], (x, y, x + bw, y + bh)) >= 0.4), 3))
        if not scene.boxes:
            wrong += sum(f[0] > 0.3 for f in found)
    return {
        "found": sum(at < 3 for at in found_at),
        "first": found_at.count(0),
        "readable": len(found_at),
        "hit": hit,
        "of": total,
        "wrong": wrong,
        "empty": len(empty),
    }


@torch.no_grad()
def judge_fine(net, full, empty):
    """On held-out photos with the window around the true box:
    mean IoU of the quad's bounds with the box, and scores."""
    overlaps, scores, empties = [], [], []
    rng = np.random.default_rng(3)
    for scene in full + empty:
        boxes = scene.boxes or [
            (rng.uniform(0, scene.size[0]), rng.uniform(0, scene.size[1]), 80, 40) for _ in range(3)
        ]
        for x, y, bw, bh in boxes:
            width = max(FineData.ZOOM * bw, 2 * FineData.ZOOM * bh, 48.0)
            s = width / FineData.W
            m = np.float64([[s, 0, x + bw / 2 - width / 2], [0, s, y + bh / 2 - width / 4]])
            out = net(inputs(scene.view(m, FineData.W, FineData.H)[None]))[0].numpy()
            yy, xx = divmod(int(out[0].argmax()), out.shape[2])
            if not scene.boxes:
                empties.append(float(sigmoid(out[0, yy, xx])))
                continue
            q = out[1:, yy, xx].reshape(4, 2) * CORNER_UNIT + ((xx + 0.5) * 8, (yy + 0.5) * 8)
            q = q * s + m[:, 2]
            b = corners_of((x, y, bw, bh))
            overlaps.append(iou((*q.min(0), *q.max(0)), (*b.min(0), *b.max(0))))
            scores.append(float(sigmoid(out[0, yy, xx])))
    return {
        "iou": round(float(np.mean(overlaps)), 3),
        "low": round(float(np.mean(np.array(overlaps) < 0.6)), 3),
        "score": round(float(np.median(scores)), 2),
        "empty over 0.3": round(float(np.mean(np.array(empties) > 0.3)), 3) if empties else None,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=("coarse", "fine", "fine-boxes"))
    parser.add_argument("--samples", type=int, default=150_000)
    parser.add_argument("--run", default=None)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--makers", type=int, default=1)
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--ring", type=int, default=6000)
    parser.add_argument("--start-from", default=None)
    args = parser.parse_args()
    cv2.setNumThreads(1)
    run, args.kind = args.run or args.kind, args.kind.split("-")[0]
    state = RunState(run, graph(args.kind), args.seed, args.rate, 0.998, lambda net: begin(net, args))
    rng = np.random.default_rng(args.seed * 1000003 + state.samples)
    ring = Ring(fields(args.kind), args.ring)
    ring.start(Maker(args.kind), [args.seed * 100 + 50 + k + state.samples for k in range(args.makers)])
    full, empty = load_scenes(tune=True)
    judge = judge_coarse if args.kind == "coarse" else judge_fine
    while ring.filled() < min(args.ring, 2500):  # otherwise the first samples are drawn far too often
        time.sleep(1)
    while state.samples < args.samples:
        batch = ring.draw(rng, BATCH[args.kind])
        loss, heat, regression = loss_of(state.forward(inputs(batch["image"])), batch, args.kind)
        state.step(loss, np.array([float(heat), float(regression)]), BATCH[args.kind], args.samples)
        if state.due(8000 if args.kind == "coarse" else 16000, args.samples):
            state.report(
                ("heat", "reg"),
                {"made": ring.made.value, "tune": judge(state.judge(), full, empty)},
                inputs(ring.draw(np.random.default_rng(1), 64)["image"]),
            )
    ring.stop()


@torch.no_grad()
def begin(net, args):
    """Weights of a new run: a bias for few plate cells, then the weights of another run, where they fit."""
    net.convs[-1].bias[0] = -3.0
    if args.start_from:
        other, own = starting_state(args.start_from, args.kind), net.state_dict()
        net.load_state_dict({k: other[k] if k in other and other[k].shape == v.shape else v for k, v in own.items()})


if __name__ == "__main__":
    main()
