"""Train the reader. Resumes from its checkpoint; stops after --samples.

    python3 -m train.train_reader --samples 1300000 [--run reader] [--seed 1] [--makers 1] [--start-from RUN]
"""
import argparse
import time

import cv2
import numpy as np
import torch
import torch.nn.functional as F

from data import cuts
from data import photos
from eval.beam import greedy
from data.camera_effects import grow
from nets import shapes
from data.reader_data import ALPHABET, COLUMNS, UNKNOWN, ReaderData, is_double, plate_quad
from train.ring import Ring
from train.run_state import RunState
from export.shipped import starting_state

MAX_TEXT = 12
BATCH = 64
REUSE = 2  # a sample is drawn again with another jolt; making one takes as long as training on it
FIELDS = {
    "crop": ((shapes.READER_H, shapes.READER_W), np.uint8),
    "text": ((MAX_TEXT,), np.int16),
    "columns": ((COLUMNS,), np.int16),
}


def maker(seed):
    """A source of samples in the ring's form."""
    data = ReaderData(seed)

    def sample():
        crop, text, columns = data.sample()
        codes = np.zeros(MAX_TEXT, np.int16)
        text = text[:MAX_TEXT]
        codes[: len(text)] = [ALPHABET.index(c) + 1 for c in text]
        return {"crop": crop, "text": codes, "columns": columns}

    return sample


def jolt(rng, batch):
    """Cheap variety for samples drawn again: shift by whole columns and a few rows, add noise."""
    crops, columns = batch["crop"], batch["columns"]
    dx, dy = int(rng.integers(-1, 2)), int(rng.integers(-3, 4))
    shift = dx * shapes.COLUMN_STRIDE
    padded = np.pad(crops, ((0, 0), (3, 3), (4, 4)), mode="edge")
    crops = padded[:, 3 + dy : 3 + dy + shapes.READER_H, 4 - shift : 4 - shift + shapes.READER_W].astype(np.float32)
    if dx:
        columns = np.roll(columns, dx, 1)
        columns[:, 0 if dx > 0 else -1] = UNKNOWN
    if rng.random() < 0.6:
        crops = crops + rng.standard_normal(crops.shape, np.float32) * rng.uniform(0, 0.15) * crops.std(
            (1, 2), keepdims=True
        )
    return {**batch, "crop": np.clip(crops, 0, 255), "columns": columns}


def inputs(crops):
    """uint8 [n, h, w] -> normalised float [n, 1, h, w], exactly the runtime's rule."""
    x = torch.from_numpy(crops).float()
    mean = x.mean((1, 2), keepdim=True)
    std = x.std((1, 2), unbiased=False, keepdim=True).clamp(min=8)
    return ((x - mean) / std).clamp(-4, 4)[:, None].contiguous(memory_format=torch.channels_last)


def loss_of(logits, texts, columns, column_weight):
    """CTC over all samples; per-column cross-entropy where columns are known -> loss, (ctc, columns)"""
    logp = F.log_softmax(logits[:, :, 0], 1)  # [n, 37, 40]
    lengths = (texts > 0).sum(1)
    ctc = F.ctc_loss(
        logp.permute(2, 0, 1),
        texts,
        torch.full((len(texts),), logp.shape[2], dtype=torch.long),
        lengths,
        blank=0,
        reduction="none",
        zero_infinity=True,
    )
    ctc = (ctc / lengths.clamp(min=4)).clamp(max=6).mean()  # one wrong label must not dominate a batch
    known = columns != UNKNOWN
    ce = F.nll_loss(logp, columns.clamp(min=0), reduction="none")
    ce = (ce * known).sum() / known.sum().clamp(min=1)
    return ctc + column_weight * ce, np.array([float(v.detach()) for v in (ctc, ce)])


def tuning_crops():
    """Held-out real crops with texts: {set: (uint8 [n, 48, 160], texts)}.
    Margins are fixed, no randomness; one-line plates only."""
    out = {}
    for row in photos.training_rows(tune=True):
        image = None
        for plate, corners in zip(row["plates"], photos.corners(row)):
            text = photos.clean(plate.get("text") or "")
            if (
                not text
                or row["kind"] == "video"
                or is_double(row)
                or (row["kind"] == "scene" and not plate.get("box"))
            ):
                continue
            image = photos.grey(row) if image is None else image
            if image is None:
                break
            quad = plate_quad(row, plate, corners)
            small = min(1.0, 2 * shapes.READER_W / float(quad[1, 0] - quad[0, 0]))
            picture = image if small == 1 else cv2.resize(image, None, fx=small, fy=small, interpolation=cv2.INTER_AREA)
            m = 0.03 if row["kind"] == "scene" else 0.0
            out.setdefault(row["set"], []).append((cuts.one_line(picture, grow(quad * small, m, m, m, m))[0], text))
    return {k: (np.stack([c for c, _ in v]), [t for _, t in v]) for k, v in out.items()}


@torch.no_grad()
def score(net, crops, texts):
    """[exact greedy reads, of how many]"""
    good = 0
    for at in range(0, len(texts), 64):
        logits = net(inputs(crops[at : at + 64]))[:, :, 0]
        good += sum(greedy(l) == t for l, t in zip(logits.permute(0, 2, 1).numpy(), texts[at : at + 64]))
    return [good, len(texts)]


def widen(net, state):
    """Load weights of a narrower (or equal) net; new parts start so that the old outputs are unchanged."""
    for name, value in net.state_dict().items():
        old = state.get(name)
        if old is None:
            continue
        if value.dim() == 4 and old.shape != value.shape:
            value[: old.shape[0], old.shape[1] :] = 0  # new inputs do not affect old outputs yet
        value[tuple(slice(n) for n in old.shape)] = old


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=1_300_000)
    parser.add_argument("--run", default="reader")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--makers", type=int, default=1)
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--ring", type=int, default=40000)
    parser.add_argument("--start-from", help="another run whose weights to start from, or 'shipped'", default=None)
    args = parser.parse_args()
    cv2.setNumThreads(1)
    state = RunState(
        args.run,
        shapes.reader(),
        args.seed,
        args.rate,
        start=args.start_from and (lambda net: widen(net, starting_state(args.start_from, "reader"))),
    )
    rng = np.random.default_rng(args.seed * 1000003 + state.samples)
    ring = Ring(FIELDS, args.ring, REUSE)
    ring.start(maker, [args.seed * 100 + k + state.samples for k in range(args.makers)])
    tune = tuning_crops()
    while ring.filled() < min(args.ring, 6000):  # otherwise the first samples are drawn far too often
        time.sleep(1)
    while state.samples < args.samples:
        batch = jolt(rng, ring.draw(rng, BATCH))
        texts, columns = torch.from_numpy(batch["text"]).long(), torch.from_numpy(batch["columns"]).long()
        loss, parts = loss_of(
            state.forward(inputs(batch["crop"])), texts, columns, 2.0 if state.samples < args.samples / 2 else 1.0
        )
        state.step(loss, parts, BATCH, args.samples)
        if state.due(20000, args.samples):
            net, probe = state.judge(), ring.draw(np.random.default_rng(0), 1000)
            fresh = score(net, probe["crop"], ["".join(ALPHABET[c - 1] for c in t if c) for t in probe["text"]])
            state.report(
                ("ctc", "ce"),
                {"made": ring.made.value, "ring": fresh, "tune": {k: score(net, *v) for k, v in tune.items()}},
                inputs(ring.draw(np.random.default_rng(1), 256)["crop"]),
            )
    ring.stop()


if __name__ == "__main__":
    main()
