"""Fit the calibration of the confidence and choose the floors, on held-out rows of the train part and rendered plates.

    python3 -m eval.calibrate MODEL --out cascade.json [--rendered FOLDER] [--floor F]

The reader's probability p of its best text becomes sigmoid(a * logit(p) + b), fitted by maximum likelihood to "was it
right". `val` rows are never used.
"""
import argparse
import json
import pathlib
import sys

import cv2
import numpy as np

from data import photos
from eval.cascade import Cascade
from eval.evaluate import framed


SIZES = (1, 0.8, 0.65)  # sizes of each picture: 124 plates alone give too few errors


def observations(cascade):
    """[(logit of p, right)] of all reads on held-out photos with full labels, right or wrong; no-plate photos too."""
    out = []
    for row in photos.training_rows(tune=True):
        wanted = [p["text"] for p in row["plates"] if p.get("text")]
        if row["kind"] not in ("scene", "plate") or len(wanted) < len(row["plates"]) or row["set"] == "openalpr-td-eu2":
            continue
        image = photos.grey(row)
        if image is None:
            continue
        for size in SIZES:
            view = image if size == 1 else cv2.resize(image, None, fx=size, fy=size, interpolation=cv2.INTER_AREA)
            for d in cascade(*(framed(view) if row["kind"] == "plate" else (view, None))):
                p = min(max(d.texts[0][1], 1e-6), 1 - 1e-6)
                out.append((np.log(p / (1 - p)), d.plate in wanted))
    return np.array(out, float)


def rendered(cascade, folder):
    """The same for plates rendered by bench/confusions/render_plates.py (with seeds that no training uses)."""
    folder, out = pathlib.Path(folder), []
    for row in json.loads((folder / "truth.json").read_text()):
        for d in cascade(cv2.imread(str(folder / row["file"]), cv2.IMREAD_GRAYSCALE)):
            p = min(max(d.texts[0][1], 1e-6), 1 - 1e-6)
            out.append((np.log(p / (1 - p)), d.plate == row["plate"]))
    return np.array(out, float)


def fit(x, y):
    """Logistic regression of y on x by Newton's method with a little ridge towards a = 1, b = 0."""
    a, b = 1.0, 0.0
    for _ in range(100):
        p = 1 / (1 + np.exp(-(a * x + b)))
        w = p * (1 - p) + 1e-9
        g = np.array([np.sum((p - y) * x) + (a - 1), np.sum(p - y) + b])
        h = np.array([[np.sum(w * x * x) + 1, np.sum(w * x)], [np.sum(w * x), np.sum(w) + 1]])
        step = np.linalg.solve(h, g)
        a, b = a - step[0], b - step[1]
        if np.abs(step).max() < 1e-7:
            break
    return float(a), float(b)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("--out", required=True)
    parser.add_argument("--floor", type=float, default=None, help="readFloor to write beside the fit")
    parser.add_argument(
        "--rendered",
        default=None,
        help="folder of bench/confusions/render_plates.py: held-out photos alone are few, and "
        "constants were chosen on them, so that they flatter",
    )
    args = parser.parse_args()
    cascade = Cascade(args.model, {"readFloor": 0.0, "calibA": 1.0, "calibB": 0.0})
    seen = observations(cascade)
    if args.rendered:
        seen = np.concatenate([seen, rendered(cascade, args.rendered)])
    a, b = fit(seen[:, 0], seen[:, 1])
    confidence = 1 / (1 + np.exp(-(a * seen[:, 0] + b)))
    for floor in (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9):
        kept = confidence >= floor
        print(
            f"floor {floor}: {int(kept.sum())} of {len(kept)} reads kept, "
            f"{int((kept & (seen[:, 1] > 0)).sum())} of {int(seen[:, 1].sum())} right ones kept"
        )
    constants = {"calibA": round(a, 4), "calibB": round(b, 4)}
    if args.floor is not None:
        constants["readFloor"] = args.floor
    print(json.dumps(constants))
    try:
        with open(args.out, encoding="utf-8") as f:
            constants = {**json.load(f), **constants}
    except FileNotFoundError:
        pass
    with open(args.out, "w", encoding="utf-8") as f:
        json.dump(constants, f)


if __name__ == "__main__":
    sys.exit(main())
