"""Renders plates that no reader was trained on, to learn how it errs (bench/confusions). Hard plates are among them,
because correct reads teach little.

    python3 bench/confusions/render_plates.py --out FOLDER [--count 1500] [--seed 90210]

Writes <n>.jpg and truth.json: [{file, plate, region}]. Texts, designs and damage come from the generators of the
training, with another seed; so these pictures resemble the training data, and say less about real cameras than real
pictures do.
"""
import argparse
import json
import pathlib
import sys

import cv2
import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "wasm" / "train"))

import settings  # noqa: E402
from data.backdrops import Backdrops  # noqa: E402
from data.camera_effects import dirt, optics, paste, random_quad, relight, shade  # noqa: E402
from data.regions import REGIONS, of_rendered  # noqa: E402
from render import Faces, render_plate  # noqa: E402

SIZE = 480, 320


def frame(rng, faces):
    """(picture uint8, plate): one plate, 45 to 150 pixels wide, on a car-like patch of a synthetic background."""
    plate = render_plate(rng, faces, height=96)
    grey = cv2.cvtColor(plate.image, cv2.COLOR_RGB2GRAY).astype(np.float32)
    w = float(np.exp(rng.uniform(np.log(45), np.log(150))))
    h = w * grey.shape[0] / grey.shape[1]
    centre = (rng.uniform(w, SIZE[0] - w), rng.uniform(h, SIZE[1] - h))
    ground = cv2.resize(Backdrops.invented(rng), SIZE).astype(np.float32)
    x, y = int(centre[0]), int(centre[1])
    left, top, right, bottom = x - int(1.4 * w), y - int(1.3 * h), x + int(1.4 * w), y + int(1.3 * h)
    cv2.rectangle(ground, (left, top), (right, bottom), float(0.5 * rng.uniform(60, 190)), -1)
    face = relight(rng, grey)
    if rng.random() < 0.25:
        face = dirt(rng, face)
    quad = random_quad(rng, w, h, 0.8) + centre
    picture = paste(ground, face, plate.alpha, plate.corners, quad, shadow=rng.uniform(0, 0.6))
    return optics(rng, shade(rng, picture), rng.uniform(0.2, 0.9)), plate


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", required=True)
    parser.add_argument("--count", type=int, default=1500)
    parser.add_argument("--seed", type=int, default=90210)
    args = parser.parse_args()
    out = pathlib.Path(args.out)
    out.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(args.seed)
    cv2.setRNGSeed(args.seed)
    faces = Faces(settings.cache("fonts"), strokes=10, seed=args.seed)
    truth = []
    for number in range(args.count):
        picture, plate = frame(rng, faces)
        cv2.imwrite(str(out / f"{number}.jpg"), picture, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(45, 95))])
        region = REGIONS[of_rendered(plate.region, plate.state)]
        truth.append({"file": f"{number}.jpg", "plate": plate.text, "region": region})
    (out / "truth.json").write_text(json.dumps(truth))


if __name__ == "__main__":
    main()
