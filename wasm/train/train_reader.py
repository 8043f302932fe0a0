"""Train the reader. Resumes from its checkpoint; stops after --samples.

    python3 train_reader.py --samples 1200000 [--run reader] [--seed 1] [--makers 1] [--fresh]
"""
import argparse
import json
import time

import cv2
import numpy as np
import torch
import torch.nn.functional as F

import cuts
import photos
import regions
import settings
from beam import greedy
from looks import grow
from nets import shapes
from nets.module import Average, GraphNet
from reader_data import ALPHABET, COLUMNS, UNKNOWN, ReaderData, is_double, plate_quad
from ring import Ring
from shipped import starting_state

MAX_TEXT = 12
BATCH = 64
FIELDS = {"crop": ((shapes.READER_H, shapes.READER_W), np.uint8), "text": ((MAX_TEXT,), np.int16), "columns": ((COLUMNS,), np.int16),
          "region": ((1,), np.int16)}
REGION_WEIGHT = 0.05   # of the loss: the text is what counts
BF16 = settings.has_bf16()


def maker(seed):
    """A source of samples in the ring's form."""
    data = ReaderData(seed)

    def sample():
        crop, text, columns, region = data.sample()
        codes = np.zeros(MAX_TEXT, np.int16)
        text = text[:MAX_TEXT]
        codes[:len(text)] = [ALPHABET.index(c) + 1 for c in text]
        return {"crop": crop, "text": codes, "columns": columns, "region": np.int16([region])}
    return sample


def jolt(rng, batch):
    """Cheap variety for samples drawn again: shift by whole columns and a few rows, add noise."""
    crops, columns = batch["crop"], batch["columns"]
    dx, dy = int(rng.integers(-1, 2)), int(rng.integers(-3, 4))
    shift = dx * shapes.COLUMN_STRIDE
    padded = np.pad(crops, ((0, 0), (3, 3), (4, 4)), mode="edge")
    crops = padded[:, 3 + dy:3 + dy + shapes.READER_H, 4 - shift:4 - shift + shapes.READER_W].astype(np.float32)
    if dx:
        columns = np.roll(columns, dx, 1)
        columns[:, 0 if dx > 0 else -1] = UNKNOWN
    if rng.random() < 0.6:
        crops = crops + rng.standard_normal(crops.shape, np.float32) * rng.uniform(0, 0.15) * crops.std((1, 2), keepdims=True)
    return {**batch, "crop": np.clip(crops, 0, 255), "columns": columns}


def inputs(crops):
    """uint8 [n, h, w] -> normalised float [n, 1, h, w], exactly the runtime's rule."""
    x = torch.from_numpy(crops).float()
    mean = x.mean((1, 2), keepdim=True)
    std = x.std((1, 2), unbiased=False, keepdim=True).clamp(min=8)
    return ((x - mean) / std).clamp(-4, 4)[:, None].contiguous(memory_format=torch.channels_last)


def loss_of(logits, texts, columns, region, column_weight):
    """CTC over all samples; per-column and region cross-entropy where columns and region are known. -> loss, (ctc, columns, region)"""
    logp = F.log_softmax(logits[:, :shapes.CLASSES, 0], 1)         # [n, 37, 40]
    lengths = (texts > 0).sum(1)
    ctc = F.ctc_loss(logp.permute(2, 0, 1), texts, torch.full((len(texts),), logp.shape[2], dtype=torch.long), lengths,
                     blank=0, reduction="none", zero_infinity=True)
    ctc = (ctc / lengths.clamp(min=4)).clamp(max=6).mean()         # one wrong label must not rule a batch
    known = columns != UNKNOWN
    ce = F.nll_loss(logp, columns.clamp(min=0), reduction="none")
    ce = (ce * known).sum() / known.sum().clamp(min=1)
    issuer = F.cross_entropy(logits[:, shapes.CLASSES:, 0].mean(2), region, ignore_index=regions.UNKNOWN, reduction="sum") / (region >= 0).sum().clamp(min=1)
    return ctc + column_weight * ce + REGION_WEIGHT * issuer, np.array([float(v.detach()) for v in (ctc, ce, issuer)])


def tuning_crops():
    """Held-out real crops with texts and regions: {set: (uint8 [n, 48, 160], texts, regions)}. Margins are fixed, no randomness; one-line plates only."""
    out = {}
    for row in photos.training_rows(tune=True):
        image = None
        for plate, corners in zip(row["plates"], photos.corners(row)):
            text = photos.clean(plate.get("text") or "")
            if not text or row["kind"] == "video" or is_double(row) or (row["kind"] == "scene" and not plate.get("box")):
                continue
            image = photos.grey(row) if image is None else image
            if image is None:
                break
            quad = plate_quad(row, plate, corners)
            small = min(1.0, 2 * shapes.READER_W / float(quad[1, 0] - quad[0, 0]))
            picture = image if small == 1 else cv2.resize(image, None, fx=small, fy=small, interpolation=cv2.INTER_AREA)
            m = 0.03 if row["kind"] == "scene" else 0.0
            out.setdefault(row["set"], []).append((cuts.one_line(picture, grow(quad * small, m, m, m, m))[0], text, regions.of_photo(row)))
    return {k: (np.stack([c for c, _, _ in v]), [t for _, t, _ in v], [r for _, _, r in v]) for k, v in out.items()}


@torch.no_grad()
def score(net, crops, texts, issuers):
    """[exact greedy reads, of how many, issuers named right, of how many known]"""
    net.eval()
    good = named = known = 0
    for at in range(0, len(texts), 64):
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=BF16):
            logits = net(inputs(crops[at:at + 64]))[:, :, 0].float()
        good += sum(greedy(l) == t for l, t in zip(logits[:, :shapes.CLASSES].permute(0, 2, 1).numpy(), texts[at:at + 64]))
        issuer = logits[:, shapes.CLASSES:].mean(2).argmax(1).numpy()
        truth = np.array(issuers[at:at + 64])
        known += int((truth >= 0).sum())
        named += int((issuer == truth).sum())
    net.train()
    return [good, len(texts), named, known]


def rate(samples, total, top):
    """Learning rate: a short warm-up, then a cosine down to a hundredth."""
    warm = min(1.0, samples / 20000 + 0.02)
    return top * warm * (0.01 + 0.99 * 0.5 * (1 + np.cos(np.pi * min(1.0, samples / total))))


def widen(net, state):
    """Load weights of a narrower (or equal) net: what is new begins so that the old outputs stay as they were."""
    for name, value in net.state_dict().items():
        old = state.get(name)
        if old is None:
            continue
        if value.dim() == 4 and old.shape != value.shape:
            value[:old.shape[0], old.shape[1]:] = 0            # new inputs do not reach old outputs yet
        value[tuple(slice(n) for n in old.shape)] = old


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=1_200_000)
    parser.add_argument("--run", default="reader")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--makers", type=int, default=1)
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--ring", type=int, default=40000)
    parser.add_argument("--start-from", help="another run whose weights to start from, or 'shipped'", default=None)
    args = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    torch.manual_seed(args.seed)
    folder = settings.cache("runs", args.run)
    net = GraphNet(shapes.reader()).to(memory_format=torch.channels_last)
    optimiser = torch.optim.AdamW(net.parameters(), lr=args.rate, weight_decay=1e-3)
    average, samples, minutes = Average(net), 0, 0.0
    checkpoint = folder / "checkpoint.pt"
    if args.start_from and not checkpoint.exists():
        widen(net, starting_state(args.start_from, "reader"))
        average = Average(net)
    if checkpoint.exists():
        state = torch.load(checkpoint)
        net.load_state_dict(state["net"])
        optimiser.load_state_dict(state["optimiser"])
        average.state, average.steps = state["average"], state["steps"]
        samples, minutes = state["samples"], state["minutes"]
    rng = np.random.default_rng(args.seed * 1000003 + samples)
    ring = Ring(FIELDS, args.ring)
    ring.start(maker, [args.seed * 100 + k + samples for k in range(args.makers)])
    tune = tuning_crops()
    while ring.filled() < min(args.ring, 6000):   # or the first samples are seen far too often
        time.sleep(1)
    watch, shown, sums = time.time(), samples, np.zeros(4)
    judge = GraphNet(shapes.reader()).to(memory_format=torch.channels_last)
    while samples < args.samples:
        batch = jolt(rng, ring.draw(rng, BATCH))
        for group in optimiser.param_groups:
            group["lr"] = rate(samples, args.samples, args.rate)
        texts, columns = torch.from_numpy(batch["text"]).long(), torch.from_numpy(batch["columns"]).long()
        region = torch.from_numpy(batch["region"][:, 0]).long()
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=BF16):
            logits = net(inputs(batch["crop"]))
        loss, parts = loss_of(logits.float(), texts, columns, region, 2.0 if samples < args.samples / 2 else 1.0)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 5.0)
        optimiser.step()
        average.update(net)
        samples += BATCH
        sums += (1, *parts)
        if samples - shown >= 20000 or samples >= args.samples:
            spent, watch = time.time() - watch, time.time()
            minutes += spent / 60
            judge.load_state_dict(average.state)
            probe = ring.draw(np.random.default_rng(0), 1000)
            fresh = score(judge, probe["crop"], ["".join(ALPHABET[c - 1] for c in t if c) for t in probe["text"]], probe["region"][:, 0])
            line = {"samples": samples, "ctc": round(sums[1] / sums[0], 4), "ce": round(sums[2] / sums[0], 4), "issuer": round(sums[3] / sums[0], 4), "per_s": round((samples - shown) / spent),
                    "made": ring.made.value, "ring": fresh,
                    "tune": {k: score(judge, *v) for k, v in tune.items()}, "minutes": round(minutes, 1)}
            print(json.dumps(line), flush=True)
            with open(folder / "curve.jsonl", "a", encoding="utf-8") as f:
                f.write(json.dumps(line) + "\n")
            temporary = folder / "checkpoint.tmp.pt"
            torch.save({"net": net.state_dict(), "optimiser": optimiser.state_dict(), "average": average.state, "steps": average.steps,
                        "samples": samples, "minutes": minutes, "seed": args.seed, "calibration": inputs(ring.draw(np.random.default_rng(1), 256)["crop"])}, temporary)
            temporary.replace(checkpoint)
            shown, sums, watch = samples, np.zeros(4), time.time()
    ring.stop()


if __name__ == "__main__":
    main()
