"""Samples for the reader: crops 48x160 as the finder would pass them on, with their texts.

A sample is (crop uint8 [48, 160], text, columns int16 [40]): columns holds the class per output column, or -1 where
it is unknown. A crop of a two-line plate shows one line. A text of "" is a crop without a plate, or one cut as the
wrong number of lines.
"""
from dataclasses import dataclass
from typing import List, Optional

import cv2
import numpy as np

from data import cuts
from data import photos
from data import regions
from data.backdrops import Backdrops, Fakes
from data.bank import Bank
from data.camera_effects import dirt, grow, homography, optics, paste, project, random_quad, relight, shade
from nets.shapes import COLUMN_STRIDE, READER_W
from data.reshuffle import reshuffle, strips_of

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
COLUMNS = READER_W // COLUMN_STRIDE
UNKNOWN = -1
RESHUFFLED = 0.5  # share of the real plates with exchanged characters
TURNED = 0.05  # are upside down or mirrored: such a read is unreliable, so they have no text
EMPHASIS = {
    "openalpr-seg-us": 4.0,
    "openalpr-e2e-us": 6.0,
    "us-51-closeups": 4.0,
    "openalpr-e2e-eu": 2.0,
    "openalpr-e2e-br": 2.0,
    "french-lpd": 2.0,
}


def spots(chars, to_crop, line=0):
    """[(class, centre, width)] in pixels of the crop of the characters of one line;
    `chars` as of Plate, `to_crop` maps the plate's unit square."""
    out = []
    for c, a, b in chars:
        if int(a >= 1) == line:
            x0, x1 = project(to_crop, [[a - line, 0.5], [b - line, 0.5]])[:, 0]
            out.append((ALPHABET.index(c) + 1, (x0 + x1) / 2, abs(x1 - x0)))
    return out


def marks_of(text, centres, to_crop):
    """The same of a real plate, whose characters have centres only."""
    x = project(to_crop, [[u, 0.5] for u in centres])[:, 0]
    width = 0.85 * float(np.median(np.diff(x))) if len(x) > 1 else 12.0
    return [(ALPHABET.index(c) + 1, centre, width) for c, centre in zip(text, x)]


def columns_of(marks):
    """Class per column: the inner half of each character is that character, its rims are unknown, the rest is blank."""
    out = np.zeros(COLUMNS, np.int16)

    def span(centre, half):
        """Columns whose centre is within `half` pixels of `centre`."""
        return slice(
            max(0, int(np.ceil((centre - half) / COLUMN_STRIDE - 0.5))),
            max(0, int(np.floor((centre + half) / COLUMN_STRIDE - 0.5)) + 1),
        )

    for _, centre, width in marks:
        out[span(centre, 0.5 * width)] = UNKNOWN
    for label, centre, width in marks:
        out[span(centre, max(0.25 * width, 1.0))] = label
        out[min(max(int(centre // COLUMN_STRIDE), 0), COLUMNS - 1)] = label
    for (l1, c1, _), (l2, c2, _) in zip(marks, marks[1:]):
        if l1 == l2:  # the same letter twice needs a blank between
            out[int(np.clip((c1 + c2) / 2 // COLUMN_STRIDE, 0, COLUMNS - 1))] = 0
    return out


def margins(rng):
    """Error of the finder's quad, as fractions of width and height: left, top, right, bottom."""
    m = rng.uniform(-0.02, 0.16)
    side = m * np.array((0.8, 1.0, 0.8, 1.0)) * rng.uniform(0.4, 1.2) + rng.normal(0, 0.02, 4) * (1, 2, 1, 2)
    return np.clip(side, (-0.03, -0.05, -0.03, -0.05), (0.2, 0.4, 0.2, 0.4))


def seen(rng, backdrops, plate, alpha, corners, cut, hardness=1.0):
    """Paste a plate picture into a backdrop, apply camera effects, crop it with an inexact quad.

    -> (crop, map of the plate's unit square -> crop)
    """
    pw = np.linalg.norm(corners[1] - corners[0])
    ph = np.linalg.norm(corners[3] - corners[0])
    low, high = (44, 200) if pw > 2.3 * ph or rng.random() < 0.5 else (36, 150)
    w = float(np.exp(rng.uniform(np.log(low), np.log(high))))
    quad = random_quad(rng, w, w * ph / pw)
    low, high = quad.min(0), quad.max(0)
    size = np.ceil((high - low) * 1.0 + 0.7 * (high - low).max(0) * np.array((1.0, 0.5))).astype(int) + 4
    quad = quad - (low + high) / 2 + size / 2
    patch = backdrops.patch(rng, int(size[0]), int(size[1]), w)
    face = relight(rng, plate)
    if rng.random() < 0.15:
        face = dirt(rng, face)
    patch = paste(patch, face, alpha, corners, quad, shadow=rng.uniform(0, 0.6) if rng.random() < 0.5 else 0.0)
    patch = optics(rng, shade(rng, patch), hardness * min(1.0, 0.35 + w / 150))
    around = grow(quad, *margins(rng)) + rng.normal(0, 0.02, (4, 2)) * (w * 0.6, w * ph / pw)
    crop, m = cut(patch, around)
    return crop, m @ unit_to(quad)


def unit_to(quad):
    """Homography from the plate's unit square to `quad`, in the pixel convention of cv2 (centres at integers)."""
    return homography([[0, 0], [1, 0], [1, 1], [0, 1]], np.float64(quad))


def unsure_cut(rng, line):
    """Cut of one line of two (0 upper, 1 lower) whose dividing line is not exactly where it should be."""
    part = float(np.clip(cuts.HALF + rng.normal(0, 0.025), 0.46, 0.62))
    return lambda patch, quad: cuts.line_of_two(patch, quad, line, part)


def plate_quad(row, plate, corners):
    """Corners of a labelled plate: found ones, else its box, else (a plate picture) the picture's;
    None when unknown."""
    if corners is not None:
        return corners
    if plate.get("box"):
        return photos.box_quad(plate["box"])
    return photos.box_quad((0, 0, row["width"], row["height"])) if row["kind"] == "plate" else None


@dataclass
class RealPlate:
    """A labelled plate of a photo. `lines` are its texts, one a line;
    `centres` of their characters, None where unknown; `strips` is the rectified plate, for reshuffling."""

    image: np.ndarray
    quad: np.ndarray
    lines: List[str]
    centres: Optional[List[List[float]]]
    region: int
    kind: str
    weight: float
    strips: Optional[object] = None


class RealPlates:
    """Labelled plates of the train photos in groups:
    `crops` (plate pictures), `scenes` (cars), `doubles` (two-line plate pictures)."""

    def __init__(self):
        groups = {"crops": [], "scenes": [], "doubles": []}
        for row in photos.training_rows():
            if row["kind"] in ("scene", "plate"):
                group = "scenes" if row["kind"] == "scene" else "doubles" if is_double(row) else "crops"
                groups[group] += self.plates_of(row)
        self.groups = {name: (plates, weights([p.weight for p in plates])) for name, plates in groups.items()}
        self.kinds = {}
        for plate in groups["crops"] + groups["scenes"]:
            if plate.strips:
                self.kinds.setdefault(plate.kind, []).append(plate.strips)

    @staticmethod
    def plates_of(row):
        """[RealPlate] of a photo."""
        image, out = None, []
        for plate, corners, spots in zip(row["plates"], photos.corners(row), photos.spots(row)):
            text = photos.clean(photos.label(plate) or "")
            quad = plate_quad(row, plate, corners) if text else None
            if quad is None or (is_double(row) and not spots):
                continue
            x, y = quad.min(0)
            w, h = quad.max(0) - (x, y)
            if w < 1.5 * h and not is_double(row):
                continue
            image = photos.grey(row) if image is None else image
            if image is None:
                break
            x0, y0 = int(max(0, x - 0.6 * w)), int(max(0, y - 0.6 * w))
            part, k = photos.fit_within(
                image[y0 : int(y + h + 0.6 * w), x0 : int(x + 1.6 * w)], 640 if row["kind"] == "scene" else 320
            )
            quad = (quad - (x0, y0)) * k
            real = RealPlate(
                part,
                quad,
                spots["lines"] if spots else [text],
                spots["centres"] if spots else None,
                regions.of_photo(row),
                f"{row['set']} {row.get('state_or_country')}",
                EMPHASIS.get(row["set"], 1.0),
            )
            if spots and len(real.lines) == 1:
                real.strips = strips_of(part, quad, text, spots["centres"][0])
            out.append(real)
        return out

    def draw(self, rng, name):
        """(image, quad, lines, centres) of a plate of the group, half of them with characters exchanged;
        None when it is empty."""
        plates, p = self.groups[name]
        if not plates:
            return None
        plate = plates[rng.choice(len(plates), p=p)]
        if plate.strips and rng.random() < RESHUFFLED:
            image, quad, text, centres = reshuffle(rng, plate.strips, self.kinds[plate.kind])
            return image, quad, [text], [centres]
        return plate.image, plate.quad, plate.lines, plate.centres


class ReaderData:
    """Endless samples. `shares`: rendered / real / none (no plate)."""

    def __init__(self, seed, shares=(0.48, 0.4, 0.12)):
        self.rng = np.random.default_rng(seed)
        cv2.setRNGSeed(seed)
        self.bank, self.backdrops, self.shares, self.count = Bank(), Backdrops(), shares, 0
        self.real, self.fakes = RealPlates(), Fakes(self.backdrops, seed)

    def rendered(self):
        rng = self.rng
        grey, alpha, corners, chars, *_ = self.bank[rng.integers(len(self.bank))]
        double = bool(chars) and chars[-1][1] >= 1
        roll = rng.random()
        wrong = roll > (0.8 if double else 0.965)  # cut as the other number of lines
        line = int(rng.integers(2)) if double != wrong else 0
        crop, to_crop = seen(
            rng, self.backdrops, grey, alpha, corners, unsure_cut(rng, line) if double != wrong else cuts.one_line
        )
        marks = spots(chars, to_crop, line)
        if wrong or not marks:
            return nothing(crop)
        return crop, "".join(ALPHABET[label - 1] for label, _, _ in marks), columns_of(marks)

    def real_crop(self, name="crops"):
        """A real plate picture, whose edges are about the plate's: pasted into a scene, or cropped directly."""
        rng = self.rng
        image, corners, lines, centres = self.real.draw(rng, name)
        line = int(rng.integers(len(lines)))
        cut = unsure_cut(rng, line) if name == "doubles" else cuts.one_line
        h, w = image.shape
        if rng.random() < 0.6:
            crop, to_crop = seen(rng, self.backdrops, image, np.full((h, w), 255, np.uint8), corners, cut)
        else:
            k = min(1.0, np.exp(rng.uniform(np.log(50), np.log(260))) / w)
            small = image if k == 1 else cv2.resize(image, None, fx=k, fy=k, interpolation=cv2.INTER_AREA)
            small = optics(rng, shade(rng, relight(rng, small)), min(1.0, 0.3 + small.shape[1] / 200))
            quad = corners * k
            crop, m = cut(small, grow(quad, *margins(rng)) + rng.normal(0, 0.012, (4, 2)) * small.shape[::-1])
            to_crop = m @ unit_to(quad)
        return real_sample(crop, lines[line], centres and centres[line], to_crop)

    def real_scene(self):
        rng = self.rng
        image, quad, lines, centres = self.real.draw(rng, "scenes")
        w, h = float(np.linalg.norm(quad[1] - quad[0])), float(np.linalg.norm(quad[3] - quad[0]))
        k = min(1.0, max(50.0, w * rng.uniform(0.5, 1.05)) / w)
        if k < 1:
            image = cv2.resize(image, None, fx=k, fy=k, interpolation=cv2.INTER_AREA)
            quad = quad * k
            w, h = w * k, h * k
        image = optics(rng, shade(rng, relight(rng, image)), 0.5)
        a = np.radians(rng.normal(0, 2.5))
        centre = quad.mean(0)
        cut = grow(quad, *margins(rng)) + rng.normal(0, 0.015, (4, 2)) * (w, h)
        cut = (cut - centre) @ np.float64([[np.cos(a), np.sin(a)], [-np.sin(a), np.cos(a)]]) + centre
        crop, m = cuts.one_line(image, cut)
        return real_sample(crop, lines[0], centres and centres[0], m @ unit_to(quad))

    def fake(self):
        rng = self.rng
        cut = cuts.one_line if rng.random() < 0.85 else unsure_cut(rng, int(rng.integers(2)))
        return nothing(self.fakes(rng, lambda picture, quad: cut(picture, quad)[0], margins))

    def sample(self):
        """(crop, text, columns)"""
        crop, text, columns = self.upright()
        return nothing(turned(self.rng, crop)) if text and self.rng.random() < TURNED else (crop, text, columns)

    def upright(self):
        self.count += 1
        if self.count % 20000 == 0:
            self.bank.refresh()
        rng, groups = self.rng, self.real.groups
        roll = rng.random()
        if roll < self.shares[2]:
            return self.fake()
        if roll < self.shares[2] + self.shares[1]:
            kind = rng.random()
            if kind < 0.45 and groups["scenes"][0]:
                return self.real_scene()
            if kind > 0.9 and groups["doubles"][0]:
                return self.real_crop("doubles")
            if groups["crops"][0]:
                return self.real_crop()
        return self.rendered()


def real_sample(crop, text, centres, to_crop):
    """A sample of a real plate: columns are known where the characters' centres are."""
    columns = columns_of(marks_of(text, centres, to_crop)) if centres else np.full(COLUMNS, UNKNOWN, np.int16)
    return crop, text, columns


def turned(rng, picture):
    """Upside down, or mirrored."""
    return np.ascontiguousarray(picture[::-1, ::-1] if rng.random() < 0.5 else picture[:, ::-1])


def nothing(crop):
    """A sample without text."""
    return crop, "", np.zeros(COLUMNS, np.int16)


def weights(values):
    v = np.asarray(values, np.float64)
    return v / v.sum() if len(v) else v


def is_double(row):
    """Whether the photo is a crop of a two-line plate."""
    return row["set"] == "openalpr-td-eu2"
