"""How well a recognizer reads the rendered feed, pass by pass.

    node dist/cli/main.js recognize --json FOLDER/frames/*/*.jpg > reads.jsonl
    python3 -m feed.check FOLDER/truth.json reads.jsonl

A pass is read right when the text with the largest sum of confidences, over the frames in which its plate is in
full view, is the plate. This is a plain vote; the engine's vote by position does better.
"""
import json
import pathlib
import sys
from collections import defaultdict

import numpy as np


def key(file):
    """(camera, time as in the truth) of a frame's file name."""
    p = pathlib.Path(file)
    n = p.stem
    return p.parent.name, f"{n[:4]}-{n[4:6]}-{n[6:11]}:{n[11:13]}:{n[13:]}"


def near(quad, truth):
    """Whether the centre of `quad` is on or near the true plate."""
    q, t = np.mean(quad, 0), np.array(truth)
    size = np.ptp(t, 0)
    return bool((np.abs(q - t.mean(0)) < size * (0.6, 1.0)).all())


def main():
    truth = json.loads(pathlib.Path(sys.argv[1]).read_text())
    plates = defaultdict(list)
    for k, p in enumerate(truth["passes"]):
        for f in p["frames"]:
            plates[p["camera"], f["t"]].append((k, f["quad"]))
    votes, seen, strays = defaultdict(lambda: defaultdict(float)), defaultdict(int), defaultdict(list)
    with open(sys.argv[2], encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            at = key(row["file"])
            for d in row.get("detections", []):
                k = next((k for k, quad in plates[at] if near(d["quad"], quad)), None)
                if k is None:
                    strays[at[0]].append((at[1][17:], d["plate"], round(d["confidence"], 2)))
                else:
                    votes[k][d["plate"]] += d["confidence"]
                    seen[k] += 1
    right = total = 0
    for k, p in enumerate(truth["passes"]):
        if not p["plate"]:
            continue
        best = max(votes[k], key=votes[k].get, default="-")
        total += 1
        right += best == p["plate"]
        widths = [f["width"] for f in p["frames"]]
        note = (
            ""
            if best == p["plate"]
            else f"   <- {best}  {dict((t, round(v, 1)) for t, v in sorted(votes[k].items(), key=lambda i: -i[1])[:4])}"
        )
        print(
            f"{p['camera']:14} {p['plate']:8} {seen[k]:3} of {len(widths):3} frames, "
            f"{min(widths):.0f}-{max(widths):.0f} px{note}"
        )
    print(f"\n{right} of {total} passes read right ({100 * right / total:.0f} %)")
    for camera, found in strays.items():
        print(f"{camera}: {len(found)} readings where no plate is in full view: {found[:12]}")


if __name__ == "__main__":
    main()
