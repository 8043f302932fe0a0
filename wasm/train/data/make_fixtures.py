"""Frames for the recognizer's tests: rendered two-line plates on generated backgrounds, without photos.

    python3 -m data.make_fixtures --out ../../test/fixtures/two_line [--count 12] [--seed 11]

Writes <n>.jpg and truth.json: [{file, plate, region}].
"""
import argparse
import json
import pathlib

import cv2
import numpy as np

import settings
from data.backdrops import Backdrops
from data.camera_effects import optics, paste, random_quad, shade
from data.regions import REGIONS, of_rendered
from render import Faces, render_plate

SIZE = 480, 320


def frame(rng, faces):
    """(picture uint8, plate) with one two-line plate, 80 to 130 pixels wide."""
    plate = render_plate(rng, faces, lines=2, height=96, frame=False)
    grey = cv2.cvtColor(plate.image, cv2.COLOR_RGB2GRAY).astype(np.float32)
    w = rng.uniform(80, 130)
    h = w * grey.shape[0] / grey.shape[1]
    centre = (rng.uniform(w, SIZE[0] - w), rng.uniform(h, SIZE[1] - h))
    ground = cv2.resize(Backdrops.invented(rng), SIZE).astype(np.float32)
    car = int(0.5 * rng.uniform(60, 190))
    x, y = int(centre[0]), int(centre[1])
    cv2.rectangle(ground, (x - int(1.4 * w), y - int(1.3 * h)), (x + int(1.4 * w), y + int(1.3 * h)), float(car), -1)
    picture = paste(ground, grey, plate.alpha, plate.corners, random_quad(rng, w, h, 0.7) + centre, shadow=0.3)
    return optics(rng, shade(rng, picture), 0.3), plate


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", required=True)
    parser.add_argument("--count", type=int, default=12)
    parser.add_argument("--seed", type=int, default=11)
    args = parser.parse_args()
    rng = np.random.default_rng(args.seed)
    cv2.setRNGSeed(args.seed)
    faces, out, truth = Faces(settings.cache("fonts"), strokes=10, seed=args.seed), pathlib.Path(args.out), []
    for n in range(args.count):
        picture, plate = frame(rng, faces)
        cv2.imwrite(str(out / f"{n:02d}.jpg"), picture, [cv2.IMWRITE_JPEG_QUALITY, 88])
        truth.append(
            {"file": f"{n:02d}.jpg", "plate": plate.text, "region": REGIONS[of_rendered(plate.region, plate.state)]}
        )
    (out / "truth.json").write_text(json.dumps(truth, indent=1) + "\n")


if __name__ == "__main__":
    main()
