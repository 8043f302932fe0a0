"""Find the position of the serial on the real designs,
so that emblems beside it can be kept when a new serial is drawn.

    python3 -m data.emblems MODEL

The reader finds a sample serial printed on a design ("0000", "ABC123"), which is blurred away later (grounds.py); a
design without one has a stretch of even ground. Writes emblems.json into the cache: {state/file name: [x0, x1]}, the
space for the serial in fractions of the width, without the designs that have neither.
"""
import argparse
import json
import sys

import cv2
import numpy as np

import settings
from eval.cascade import Cascade
from render.grounds import design_files
from eval.sampling import Pyramid

SURE = 0.6  # probability of a character in its column
HALF_CHARACTER, STACK = (
    0.055,
    0.1,
)  # of the width: from a character's centre to its edge; small letters stacked beside the serial
EVEN = 14.0  # mean change of grey along a column of the band below which it is ground
LEAST_ROOM = 0.45


def serial_room(logp):
    """(x0, x1) of the characters found, widened by possible stacked letters; None when there are fewer than two."""
    best, p = logp[:, 1:].argmax(1), np.exp(logp[:, 1:].max(1))
    seen = np.flatnonzero(p > SURE)
    if len(set(zip(best[seen], seen // 3))) < 2:
        return None
    centre = (seen + 0.5) / len(logp)
    return float(centre[0] - HALF_CHARACTER - STACK), float(centre[-1] + HALF_CHARACTER + STACK)


def even_room(grey):
    """(x0, x1) of the longest stretch of columns without a picture in the band of the serial; None when it is short."""
    band = cv2.GaussianBlur(grey, (3, 3), 0)[26:72].astype(np.float32)
    busy = np.abs(np.diff(band, axis=0)).mean(0) + np.abs(np.diff(band, axis=1, append=band[:, -1:])).mean(0) > EVEN / 2
    best, start = (0, 0), 0
    for x in range(len(busy) + 1):
        if x == len(busy) or busy[x]:
            best, start = max(best, (x - start, start)), x + 1
    length, x0 = best
    room = (x0 + 2) / len(busy), (x0 + length - 2) / len(busy)
    return room if room[1] - room[0] >= LEAST_ROOM else None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    args = parser.parse_args()
    cascade, out, count = Cascade(args.model), {}, 0
    for files in design_files(settings.photos() / "us-plate-designs").values():
        for path in files:
            image = cv2.imread(path, cv2.IMREAD_GRAYSCALE)
            if image is None:
                continue
            count += 1
            grey = cv2.resize(image, (192, 96), interpolation=cv2.INTER_AREA)
            whole = np.float64([[0, 0], [192, 0], [192, 96], [0, 96]])
            logp = cascade.look(Pyramid(grey), whole, (0.0,), 1)[0]
            room = serial_room(logp) or even_room(grey)
            if room:
                out[path.rsplit("/", 1)[-1]] = [round(max(0.0, room[0]), 3), round(min(1.0, room[1]), 3)]
    (settings.cache() / "emblems.json").write_text(json.dumps(out))
    print(f"room for the serial found on {len(out)} of {count} designs")


if __name__ == "__main__":
    sys.exit(main())
