"""A bank of rendered plates on disk, so that the slow part of rendering is done once and training
only warps the plates.

    python3 -m data.bank --shards 20 [--first 0] [--size 3000]

One shard is one .npz: all grey pictures and masks in one flat buffer with offsets. Shard number = seed.
"""
import argparse
import os

import cv2
import numpy as np

import settings
from render import Faces, render_plate
from render.grounds import design_files

TWO_LINE_SHARE = 0.08
HEIGHT = 80  # pixels of a plate in the bank: more than the reader's 48 rows


def make_shard(path, seed, size, designs):
    rng = np.random.default_rng(1000 + seed)
    faces = Faces(settings.cache("fonts"), strokes=300, seed=seed)
    pixels, sizes, corners, chars, texts = [], [], [], [], []
    for _ in range(size):
        plate = render_plate(
            rng,
            faces,
            designs=designs if rng.random() < 0.8 else None,
            height=HEIGHT,
            lines=2 if rng.random() < TWO_LINE_SHARE else 1,
        )
        grey = cv2.cvtColor(plate.image, cv2.COLOR_RGB2GRAY)
        pixels += [grey.ravel(), plate.alpha.ravel()]
        sizes.append(grey.shape)
        corners.append(plate.corners)
        chars.append(";".join(f"{c}{a:.4f},{b:.4f}" for c, a, b in plate.chars))
        texts.append(plate.text + "|" + plate.region + "|" + plate.state)
    temporary = str(path) + ".part.npz"
    np.savez(
        temporary,
        pixels=np.concatenate(pixels),
        sizes=np.int32(sizes),
        corners=np.float32(corners),
        chars=np.array(chars),
        texts=np.array(texts),
    )
    os.replace(temporary, path)


class Bank:
    """Plates of all shards on disk. `bank[i]` -> (grey, alpha, corners [4, 2], [(char, x0, x1)],
    text, region, state)."""

    def __init__(self, minimum=1):
        self.items, self.seen = [], set()
        self.refresh()
        if len(self.seen) < minimum:
            raise SystemExit("no rendered plates: run bank.py first")

    def refresh(self):
        """Load shards that were finished meanwhile."""
        for path in sorted(settings.cache("bank").glob("shard-*.npz")):
            if path.name in self.seen or path.name.endswith(".part.npz"):
                continue
            self.seen.add(path.name)
            with np.load(path) as z:
                pixels, sizes, corners, chars, texts = (z[k] for k in ("pixels", "sizes", "corners", "chars", "texts"))
            at = 0
            for (h, w), quad, marks, text in zip(sizes, corners, chars, texts):
                grey, alpha = (pixels[at + k * h * w : at + (k + 1) * h * w].reshape(h, w) for k in (0, 1))
                at += 2 * h * w
                self.items.append((grey, alpha, quad, str(marks), str(text)))

    def __len__(self):
        return len(self.items)

    def __getitem__(self, i):
        grey, alpha, quad, marks, text = self.items[i]
        chars = [(m[0], *map(float, m[1:].split(","))) for m in marks.split(";")] if marks else []
        number, region, state = text.split("|")
        return grey, alpha, quad, chars, number, region, state


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shards", type=int, default=20)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--size", type=int, default=3000)
    args = parser.parse_args()
    cv2.setNumThreads(1)
    data = settings.photos()
    designs = design_files(data / "us-plate-designs") if data else None
    for seed in range(args.first, args.first + args.shards):
        path = settings.cache("bank") / f"shard-{seed:03d}.npz"
        if not path.exists():
            make_shard(path, seed, args.size, designs)
            print(path.name, flush=True)


if __name__ == "__main__":
    main()
