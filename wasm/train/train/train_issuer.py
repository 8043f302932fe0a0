"""Train the issuer net, which names the state or country of a plate.
Resumes from its checkpoint; stops after --samples.

    python3 -m train.train_issuer --samples 400000
"""
import argparse
import time

import cv2
import numpy as np
import torch
import torch.nn.functional as F

from data import photos
from data import regions
from data.issuer_data import IssuerData, whole
from data.camera_effects import grow
from nets import shapes
from data.reader_data import is_double, plate_quad
from train.ring import Ring
from train.run_state import RunState
from train.train_reader import inputs

BATCH = 64
FIELDS = {"crop": ((shapes.ISSUER_H, shapes.ISSUER_W), np.uint8), "region": ((1,), np.int16)}


def maker(seed):
    data = IssuerData(seed)

    def sample():
        crop, region = data.sample()
        return {"crop": crop, "region": np.int16([region])}

    return sample


def loss_of(logits, region):
    """Cross-entropy where the region is known, a flat output where there is none -> loss, (known, flat)"""
    logp = F.log_softmax(logits[:, :, 0].mean(2), 1)
    known = region >= 0
    named = F.nll_loss(logp, region.clamp(min=0), reduction="none")
    flat = -logp.mean(1)
    loss = (torch.where(known, named, 0.2 * flat)).mean()
    return loss, np.array([float((named * known).sum().detach() / known.sum().clamp(min=1)), float(loss.detach())])


def tuning_crops():
    """Held-out real plates whose region is known: (crops, regions)."""
    crops, truths = [], []
    for row in photos.training_rows(tune=True):
        region = regions.of_photo(row)
        if row["kind"] not in ("scene", "plate") or region < 0 or is_double(row):
            continue
        image = photos.grey(row)
        for plate, corners in zip(row["plates"], photos.corners(row)):
            quad = plate_quad(row, plate, corners)
            if image is not None and quad is not None:
                crops.append(whole(image, grow(quad, 0.02, 0.02, 0.02, 0.02))[0])
                truths.append(region)
    return np.stack(crops), np.array(truths)


@torch.no_grad()
def probabilities(net, crops):
    return np.concatenate(
        [F.softmax(net(inputs(crops[at : at + 64]))[:, :, 0].mean(2), 1).numpy() for at in range(0, len(crops), 64)]
    )


def score(net, crops, truths):
    """{"all": [right, of how many], "dares": [right, named with 0.8 or more]} of plates of the US,
    and of all others."""
    p = probabilities(net, crops)
    right, sure = p.argmax(1) == truths, p.max(1) >= 0.8
    us = np.array([regions.REGIONS[t].startswith("US-") for t in truths])
    return {
        name: {
            "all": [int((right & part).sum()), int(part.sum())],
            "dares": [int((right & sure & part).sum()), int((sure & part).sum())],
        }
        for name, part in (("us", us), ("others", ~us))
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=400_000)
    parser.add_argument("--run", default="issuer")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--ring", type=int, default=20000)
    args = parser.parse_args()
    cv2.setNumThreads(1)
    state = RunState(args.run, shapes.issuer(), args.seed, args.rate)
    rng = np.random.default_rng(args.seed * 1000003 + state.samples)
    ring = Ring(FIELDS, args.ring)
    ring.start(maker, [args.seed * 100 + 25 + state.samples])
    held_out = tuning_crops()
    while ring.filled() < min(args.ring, 4000):
        time.sleep(1)
    while state.samples < args.samples:
        batch = ring.draw(rng, BATCH)
        loss, parts = loss_of(state.forward(inputs(batch["crop"])), torch.from_numpy(batch["region"][:, 0]).long())
        state.step(loss, parts, BATCH, args.samples)
        if state.due(20000, args.samples):
            state.report(
                ("named", "loss"),
                {"made": ring.made.value, "tune": score(state.judge(), *held_out)},
                inputs(ring.draw(np.random.default_rng(1), 256)["crop"]),
            )
    ring.stop()


if __name__ == "__main__":
    main()
