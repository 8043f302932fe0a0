"""Find the corners of plates in the real photos of the train part, whose labels do not have them.

    python3 -m data.label_corners MODEL

Where a plate has a box, the quad of the fine look counts when its bounds agree with the box; a plate picture (crop) is
examined as a whole; in a photo with a text and no box the whole cascade runs, and a quad counts when the reader reads
the known text there. Writes quads.json into the cache: {file: [quad or null, one per plate]}, for training. Also lists
wrong proposals of the coarse look in photos without a plate (mined.json).
"""
import argparse
import json
import sys

import numpy as np

from data import photos
import settings
from eval.cascade import Cascade, iou
from eval.sampling import Pyramid

AGREE = 0.62  # IoU of the quad's bounds with the box; labelled boxes are loose
STEEP, AGREE_STEEP = 7.0, 0.8  # from this lean on, degrees, only quads that agree well with the box count
AGREE_CROP = 0.7


def bounds(q):
    q = np.asarray(q)
    return (*q.min(0), *q.max(0))


def lean(q):
    """Degrees between the upper edge and level."""
    return abs(np.degrees(np.arctan2(q[1][1] - q[0][1], q[1][0] - q[0][0])))


def quads_of(cascade, row):
    """[quad or None] for the plates of a row."""
    image = photos.grey(row)
    if image is None:
        return None
    pyramid, out = Pyramid(image), []
    if row["kind"] == "plate":
        w, h = row["width"], row["height"]
        _, quad = cascade.fine(pyramid, (1.0, w / 2, h / 2, w, h))
        return [quad.round(2).tolist() if iou(bounds(quad), (0, 0, w, h)) > AGREE_CROP else None for _ in row["plates"]]
    searched = None
    for plate in row["plates"]:
        quad = None
        if plate.get("box"):
            x, y, w, h = plate["box"]
            score, quad = cascade.fine(pyramid, (1.0, x + w / 2, y + h / 2, w, h))
            if iou(bounds(quad), (x, y, x + w, y + h)) < (AGREE_STEEP if lean(quad) > STEEP else AGREE):
                quad = None
        elif plate.get("text"):
            searched = cascade(image) if searched is None else searched
            quad = next((d.quad for d in searched if d.plate == plate["text"]), None)
        out.append(None if quad is None else np.round(quad, 2).tolist())
    return out


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    args = parser.parse_args()
    cascade = Cascade(args.model, {"coarseFloor": 0.05, "candidates": 6, "fineFloor": 0.05, "readFloor": 0.0})
    quads, mined, count = {}, {}, [0, 0]
    for row in photos.training_rows():
        if row["kind"] not in ("scene", "plate"):
            continue
        if row["kind"] == "scene" and not row["plates"]:
            image = photos.grey(row)
            if image is not None:
                mined[row["file"]] = [[round(float(v), 2) for v in b] for b in cascade.boxes(Pyramid(image))]
            continue
        found = quads_of(cascade, row)
        if found:
            quads[row["file"]] = found
            count[0] += sum(q is not None for q in found)
            count[1] += len(found)
    (settings.cache() / "quads.json").write_text(json.dumps(quads))
    (settings.cache() / "mined.json").write_text(json.dumps(mined))
    print(
        f"corners for {count[0]} of {count[1]} plates; "
        f"{sum(map(len, mined.values()))} wrong boxes in {len(mined)} photos"
    )


if __name__ == "__main__":
    sys.exit(main())
