"""Render the sample feed into a folder: frames, cameras, truth, hot lists.

    /usr/bin/python3 -m feed.make_feed --out FOLDER [--seed 65] [--seconds 42] [--camera ID ...]
        [--only SECOND ...] [--fonts FOLDER]

    FOLDER/frames/<camera>/<yyyymmddThhmmss.mmmZ>.jpg     1280x720
    FOLDER/cameras.json   FOLDER/truth.json   FOLDER/hotlists/*.csv

The same seed, fonts and library versions give the same bytes. `--only` writes single frames as pictures to look at.
"""
import argparse
import json
import pathlib
from concurrent.futures import ProcessPoolExecutor
from datetime import datetime, timedelta, timezone

import cv2
import numpy as np

from . import cameras
from . import hotlists
from . import lens
from .car import Car
from .film import Film
from .scene import scene_seed
from .tags import make_tag, plain_faces

START = datetime(2026, 5, 15, 2, 40, 0, tzinfo=timezone.utc)  # 19:40 in Roseville, half an hour before sunset
LEAST_WIDTH = 55.0  # pixels of a plate that counts as readable


def build(scene, faces, seed):
    """The scene's cars with their plates; one generator per pass, so that changing one changes no other."""
    cars = []
    for k, go in enumerate(scene.passes):
        rng = np.random.default_rng((seed, scene_seed(scene), k))
        tag = make_tag(rng, faces, *go.plate) if go.plate else None
        cars.append(
            Car(rng, go.shape, tag if go.side == "rear" else None, tag if go.side == "front" else None, go.paint)
        )
    return cars


def stamp(at):
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"


def film_camera(index, out, seed, seconds, fonts, only):
    """Render one camera and return its part of the truth."""
    cv2.setNumThreads(1)
    scene = cameras.all_scenes()[index]
    ident = scene.record["id"]
    cars = build(scene, plain_faces(fonts, seed), seed)
    film = Film(scene, cars, seed + scene_seed(scene))
    folder = pathlib.Path(out, "frames", ident)
    folder.mkdir(parents=True, exist_ok=True)
    found = {k: [] for k in range(len(cars))}
    offset = index * 0.057  # the cameras are not synchronised
    times = [offset + k / scene.rate for k in range(int(seconds * scene.rate))]
    if only:
        times = [min(times, key=lambda t: abs(t - s)) for s in only]
    for t in times:
        at = START + timedelta(milliseconds=round(t * 1000))
        picture, quads = film.frame(round(t, 3))
        lens.stamp_time(picture, f"{scene.record['name'].upper()}   {stamp(at)[:-5].replace('T', ' ')} UTC")
        name = stamp(at).replace("-", "").replace(":", "")
        (folder / f"{name}.jpg").write_bytes(lens.encode(picture, scene.quality, scene.grey))
        for k, quad in quads.items():
            found[k].append(
                {
                    "t": stamp(at),
                    "width": round(float(np.linalg.norm(quad[1] - quad[0])), 1),
                    "quad": [[round(float(a), 1) for a in p] for p in quad],
                }
            )
    passes = []
    for k, (go, car) in enumerate(zip(scene.passes, cars)):
        tag = car.rear_tag or car.front_tag
        readable = [f["t"] for f in found[k] if f["width"] >= LEAST_WIDTH]
        if tag is None:
            passes.append(
                {
                    "camera": ident,
                    "plate": None,
                    "region": None,
                    "state": None,
                    "time": stamp(START + timedelta(seconds=go.time)),
                    "direction": go.going,
                    "frames": [],
                }
            )
        elif readable or only:
            passes.append(
                {
                    "camera": ident,
                    "plate": tag.text,
                    "region": tag.region,
                    "state": tag.state,
                    "first": min(readable, default=None),
                    "last": max(readable, default=None),
                    "direction": {"away": "receding", "near": "approaching", "stays": "parked"}[go.going],
                    "frames": found[k],
                }
            )
        else:
            raise SystemExit(f"{ident}: the plate of pass {k} is never readable")
    if not only:
        part = part_file(out, ident)
        part.parent.mkdir(exist_ok=True)
        part.write_text(json.dumps(passes))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", required=True)
    parser.add_argument("--seed", type=int, default=65)
    parser.add_argument("--seconds", type=float, default=35.5)
    parser.add_argument(
        "--camera", action="append", help="only these cameras; the truth is put together once all have been rendered"
    )
    parser.add_argument("--only", type=float, action="append", help="only the frames nearest to these seconds")
    parser.add_argument(
        "--fonts", help="folder of plate-like fonts (see ../fonts.sh); without it plates are written in drawn strokes"
    )
    parser.add_argument("--jobs", type=int, default=2)
    args = parser.parse_args()
    out = pathlib.Path(args.out)
    scenes = cameras.all_scenes()
    chosen = [k for k, s in enumerate(scenes) if not args.camera or s.record["id"] in args.camera]
    with ProcessPoolExecutor(args.jobs) as pool:
        list(
            pool.map(
                film_camera, chosen, *zip(*[(args.out, args.seed, args.seconds, args.fonts, args.only)] * len(chosen))
            )
        )
    parts = [part_file(out, s.record["id"]) for s in scenes]
    if not args.only and all(p.exists() for p in parts):
        assemble(out, scenes, [p for part in parts for p in json.loads(part.read_text())], args)


def part_file(out, ident):
    return pathlib.Path(out, "parts", f"{ident}.json")


def assemble(out, scenes, passes, args):
    """The parts common to all cameras: their records, the hot lists, the truth."""
    lists, hits = hotlists.make(np.random.default_rng(args.seed), passes)
    hotlists.write(out / "hotlists", lists)
    (out / "cameras.json").write_text(json.dumps([s.record for s in scenes], indent=2) + "\n")
    about = {"seed": args.seed, "start": stamp(START), "seconds": args.seconds, "leastWidth": LEAST_WIDTH}
    lines = ",\n".join("  " + json.dumps(p) for p in passes)
    (out / "truth.json").write_text(
        json.dumps(about)[:-1] + ',\n"hits": ' + json.dumps(hits, indent=1) + ',\n"passes": [\n' + lines + "\n]}\n"
    )
    pictures = list(out.glob("frames/*/*.jpg"))
    print(f"{len(passes)} passes, {len(pictures)} frames, {sum(p.stat().st_size for p in pictures) / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
