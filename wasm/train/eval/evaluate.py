"""Measure a model file end to end on the `val` photos, by set.

    python3 -m eval.evaluate MODEL [--out FILE.json] [--errors]

Right = the best text of any returned plate equals the truth. Three figures: against the labels as published, as
corrected, and corrected with O = 0 and I = 1 equal. `any box`: the plate's box was found (its centre is
in a quad of the fine look). A picture without a plate counts as falsely read when anything is returned.
"""
import argparse
import json
import sys

import numpy as np

from data import photos
from eval.cascade import Cascade
from eval.sampling import Pyramid

US = ("openalpr-e2e-us", "us-51-closeups", "mcm-us16")
SETS = US + ("openalpr-e2e-eu", "french-lpd", "openalpr-e2e-br", "openimages-lp")
CROPS = ("openalpr-seg-us", "openalpr-td-br", "argentina-bench")
NEGATIVE = "openalpr-neg"


def fold(text):
    return text.replace("O", "0").replace("I", "1")


def truths(row):
    """[(corrected, as published)] of the plates with a text."""
    return [(p["text"], p.get("text_orig") or p["text"]) for p in row["plates"] if p.get("text")]


def framed(image):
    """A plate crop in the middle of a grey picture of twice its width: (picture, the fine look's box).
    At the frame's edge it would count as cut."""
    h, w = image.shape
    return np.pad(image, ((h, h), (w // 2, w // 2)), constant_values=112), [(1.0, w // 2 + w / 2, h + h / 2, w, h)]


def measure(cascade, rows, crops=False, errors=None):
    """-> {n, published, corrected, folded, found, read}: counts over plates (found: over plates with a box)."""
    c = dict(n=0, published=0, corrected=0, folded=0, top5=0, boxes=0, found=0, returned=0)
    for row in rows:
        wanted = truths(row)
        if not wanted:
            continue
        image, box = framed(photos.grey(row)) if crops else (photos.grey(row), None)
        detections = cascade(image, box)
        texts = [d.plate for d in detections]
        c["returned"] += len(texts)
        quads = None
        for text, published in wanted:
            c["n"] += 1
            c["published"] += published in texts
            c["corrected"] += text in texts
            c["folded"] += fold(text) in [fold(t) for t in texts]
            c["top5"] += any(text in [t for t, _ in d.texts[:5]] for d in detections)
            if errors is not None and text not in texts:
                errors.append(
                    (
                        row["file"],
                        text,
                        [
                            (d.plate, round(d.confidence, 3), d.texts[1][0] if len(d.texts) > 1 else None)
                            for d in detections
                        ],
                    )
                )
        for plate in row["plates"]:
            if plate.get("box") and plate.get("text"):
                x, y, w, h = plate["box"]
                quads = cascade.quads(Pyramid(image)) if quads is None else quads
                c["boxes"] += 1
                c["found"] += any(
                    (q.min(0) <= (x + w / 2, y + h / 2)).all() and (q.max(0) >= (x + w / 2, y + h / 2)).all()
                    for _, q, _ in quads
                )
    return c


def false_reads(cascade, rows, errors=None):
    """-> (pictures, pictures with something read, things read)"""
    pictures = reads = 0
    for row in rows:
        found = cascade(photos.grey(row))
        pictures += bool(found)
        reads += len(found)
        if errors is not None and found:
            errors.append((row["file"], None, [(d.plate, round(d.confidence, 3)) for d in found]))
    return len(rows), pictures, reads


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("--out")
    parser.add_argument("--errors", action="store_true")
    parser.add_argument("--tune", action="store_true", help="measure on the held-out train rows instead of val")
    parser.add_argument("--set", action="append", help="only these sets")
    parser.add_argument("--constants", default="{}", help="JSON: cascade constants to try")
    args = parser.parse_args()
    cascade = Cascade(args.model, json.loads(args.constants))
    rows_of = (lambda s: photos.training_rows([s], tune=True)) if args.tune else (lambda s: photos.measuring_rows([s]))
    report, errors = {}, [] if args.errors else None
    for name in args.set or SETS + CROPS + (NEGATIVE,):
        if name == NEGATIVE:
            n, pictures, reads = false_reads(cascade, rows_of(name), errors)
            report[name] = {"n": n, "pictures with a false read": pictures, "false reads": reads}
        else:
            report[name] = measure(cascade, rows_of(name), name in CROPS, errors)
        print(name, json.dumps(report[name]), flush=True)
    us = [report[s] for s in US if s in report]
    if us:
        report["us"] = {k: int(sum(r[k] for r in us)) for k in us[0]}
        print("us", json.dumps(report["us"]))
    for e in errors or ():
        print(*e)
    if args.out:
        with open(args.out, "w", encoding="utf-8") as f:
            json.dump(report, f, indent=1)


if __name__ == "__main__":
    sys.exit(main())
