"""Find the position of each character of the real training plates, with the rough model and the known text.

    python3 -m data.align MODEL

Labels of real photos have a plate's text, not the positions of its characters. The reader's own columns, forced to the
known text (Viterbi over the CTC lattice), give the positions: then real plates train the columns like rendered ones,
and their characters can be exchanged (reshuffle.py). This also finds the split of the text of two-line plates. Writes
spots.json into the cache:

    {file: [null or {"lines": [text, ...], "centres": [[u of each character], ...]} per plate]}
    u: 0 left, 1 right edge of the quad
"""
import argparse
import json
import sys

import numpy as np

from data import cuts
from data import photos
import settings
from eval.beam import ALPHABET, log_softmax, text_probabilities
from eval.cascade import Cascade
from data.camera_effects import grow
from nets.shapes import CLASSES, COLUMN_STRIDE, READER_W
from data.reader_data import is_double, plate_quad
from eval.sampling import normalise

MARGINS = (0.04, 0.0, 0.1)  # the one under which the text is most probable decides
LEAST = 0.02  # minimum probability of the text


def viterbi(logp, text):
    """Most probable alignment of `text` with [columns, 37] log-probabilities -> [centre column of each character]."""
    labels = np.zeros(2 * len(text) + 1, int)
    labels[1::2] = [ALPHABET.index(c) + 1 for c in text]
    skip = np.zeros(len(labels), bool)
    skip[2:] = (labels[2:] != labels[:-2]) & (labels[2:] > 0)
    best, back = np.full(len(labels), -np.inf), []
    best[:2] = logp[0][labels[:2]]
    for column in logp[1:]:
        options = np.stack(
            [best, np.r_[-np.inf, best[:-1]], np.where(skip, np.r_[-np.inf, -np.inf, best[:-2]], -np.inf)]
        )
        choice = options.argmax(0)
        back.append(choice)
        best = options[choice, np.arange(len(labels))] + column[labels]
    state = len(labels) - 1 if best[-1] > best[-2] else len(labels) - 2
    states = [state]
    for choice in reversed(back):
        state -= choice[state]
        states.append(state)
    states = np.array(states[::-1])
    return [float(np.flatnonzero(states == 2 * i + 1).mean()) for i in range(len(text))]


class Aligner:
    """A model file's reader, for quads whose text is known."""

    def __init__(self, model):
        self.run = Cascade(model).runs[3]

    def line(self, image, quad, texts):
        """(best log-probability, text, centres) of the most probable one of `texts` in the quad."""
        found = (-np.inf, texts[0], [])
        for m in MARGINS:
            crop, _ = cuts.one_line(image, grow(quad, m, m, m, m))
            logp = log_softmax(self.run(normalise(crop)[None])[0][:CLASSES, 0].T)
            p = np.log(np.maximum(text_probabilities(logp, texts), 1e-30))
            k = int(p.argmax())
            if p[k] > found[0]:
                u = (np.array(viterbi(logp, texts[k])) + 0.5) * COLUMN_STRIDE / READER_W
                found = (float(p[k]), texts[k], (u * (1 + 2 * m) - m).round(4).tolist())
        return found

    def plate(self, image, quad, text, double):
        """{"lines", "centres"} of a plate, None when its text is not found there."""
        if not double:
            lines = [self.line(image, quad, [text])]
        else:
            upper, lower = cuts.halves(quad)
            splits = [
                (self.line(image, upper, [text[:k]]), self.line(image, lower, [text[k:]])) for k in range(1, len(text))
            ]
            lines = max(splits, key=lambda s: s[0][0] + s[1][0])
        if sum(p for p, _, _ in lines) < np.log(LEAST) * len(lines):
            return None
        return {"lines": [t for _, t, _ in lines], "centres": [c for _, _, c in lines]}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    args = parser.parse_args()
    aligner, out, count = Aligner(args.model), {}, [0, 0]
    for row in photos.training_rows():
        if row["kind"] not in ("scene", "plate"):
            continue
        image, spots = None, []
        for plate, corners in zip(row["plates"], photos.corners(row)):
            text = photos.clean(photos.label(plate) or "")
            quad = plate_quad(row, plate, corners) if text else None
            image = photos.grey(row) if quad is not None and image is None else image
            if quad is None or image is None:
                spots.append(None)
                continue
            spots.append(aligner.plate(image, quad, text, is_double(row)))
            count[0] += spots[-1] is not None
            count[1] += 1
        if any(spots):
            out[row["file"]] = spots
    (settings.cache() / "spots.json").write_text(json.dumps(out))
    print(f"characters of {count[0]} of {count[1]} plates placed")


if __name__ == "__main__":
    sys.exit(main())
