"""The real photos, if available: rows of the index by use, grey pictures, and the split of the train part.

Only `measuring_rows` returns `part: val`. One row in eight of the train part is held out
("tune") for constants, calibration and for comparing nets.
"""
import functools
import hashlib
import json

import cv2
import numpy as np

import settings

PSEUDO_FLOOR = 0.97  # confidence from which another reader's text is a training label


@functools.lru_cache(maxsize=1)
def rows():
    folder = settings.photos()
    if folder is None:
        return []
    with open(folder / "index.jsonl", encoding="utf-8") as f:
        return [json.loads(line) for line in f]


def held_out(row) -> bool:
    """Whether a row is held out: by the first text, or the file name, so that one plate is always on one side."""
    texts = [p["text"] for p in row.get("plates", []) if p.get("text")]
    key = texts[0] if texts else row["file"]
    return hashlib.sha256(("tune:" + key).encode()).digest()[0] < 32


def training_rows(sets=None, kind=None, tune=False):
    """Rows of the train part: those to train on, or (tune) those held out from training."""
    return [
        r
        for r in rows()
        if r["part"] == "train"
        and held_out(r) == tune
        and (sets is None or r["set"] in sets)
        and (kind is None or r["kind"] == kind)
    ]


def measuring_rows(sets):
    """Rows of the val part, for figures only."""
    return [r for r in rows() if r["part"] == "val" and r["set"] in sets]


def grey(row):
    """Luma of a photo, uint8 [h, w], or None when it cannot be decoded."""
    return cv2.imread(str(settings.photos() / row["file"]), cv2.IMREAD_GRAYSCALE)


def label(plate):
    """Text to train on: the verified label, else a confident text of another reader, else None."""
    if plate.get("text"):
        return plate["text"]
    if plate.get("pseudo_text") and plate.get("pseudo_conf", 0) >= PSEUDO_FLOOR:
        return plate["pseudo_text"]
    return None


def clean(text):
    """The characters of the alphabet; None when they are too few or too many."""
    text = "".join(c for c in text.upper() if c in "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    return text if 2 <= len(text) <= 11 else None


def fit_within(image, side):
    """Shrink so that the longer side is at most `side` pixels; returns (image, scale)."""
    k = side / max(image.shape[:2])
    if k >= 1:
        return image, 1.0
    return cv2.resize(image, None, fx=k, fy=k, interpolation=cv2.INTER_AREA), k


@functools.lru_cache(maxsize=3)
def _found(name):
    path = settings.cache() / name
    return json.loads(path.read_text()) if path.exists() else {}


def corners(row):
    """The result of label_corners.py: [float32 [4, 2] or None] for the plates of a row (all None before it has run)."""
    quads = _found("quads.json").get(row["file"]) or [None] * len(row["plates"])
    return [None if q is None else np.float32(q) for q in quads]


def searched(row):
    """Whether label_corners.py has processed the row: the pose of a plate without corners is then unknown."""
    return row["file"] in _found("quads.json")


def spots(row):
    """The result of align.py: [{"lines", "centres"} or None] for the plates of a row (all None before it has run)."""
    return _found("spots.json").get(row["file"]) or [None] * len(row["plates"])


def mined(row):
    """Boxes (score, cx, cy, w, h) that the coarse look wrongly proposed in a photo without a plate."""
    return _found("mined.json").get(row["file"], [])


def box_quad(box):
    x, y, w, h = box
    return np.float32([[x, y], [x + w, y], [x + w, y + h], [x, y + h]])
