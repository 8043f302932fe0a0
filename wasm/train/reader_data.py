"""Samples for the reader: crops 48x160 as the finder would hand them over, with what they say and who issued them.

A sample is (crop uint8 [48, 160], text, columns int16 [40], region): columns holds the class per output column, or -1 where
it is not known; region is a class of regions.py or -1. A text of "" is a crop without a plate, or one cut as the wrong
number of lines.
"""
import cv2
import numpy as np

import cuts
import photos
import regions
from backdrops import Backdrops, Fakes
from bank import Bank
from looks import dirt, grow, homography, optics, paste, project, random_quad, relight, shade
from nets.shapes import COLUMN_STRIDE, READER_W

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
COLUMNS = READER_W // COLUMN_STRIDE
UNKNOWN = -1
EMPHASIS = {"openalpr-seg-us": 4.0, "openalpr-e2e-us": 6.0, "us-51-closeups": 4.0, "openalpr-e2e-eu": 2.0, "openalpr-e2e-br": 2.0, "french-lpd": 2.0}


def spots(chars, maps, quad_to_patch):
    """(class, centre, width) of each character in pixels of the crop. `chars` as of Plate; `maps` patch -> crop, one a line."""
    out = []
    for c, a, b in chars:
        line = int(a >= 1)
        x0, x1 = project(maps[min(line, len(maps) - 1)] @ quad_to_patch, [[a - line, 0.25 + 0.5 * line], [b - line, 0.25 + 0.5 * line]])[:, 0]
        out.append((ALPHABET.index(c) + 1, (x0 + x1) / 2, abs(x1 - x0)))
    return out


def columns_of(marks):
    """Class per column: the inner half of each character is that character, its rims are left open, the rest is blank."""
    out = np.zeros(COLUMNS, np.int16)

    def span(centre, half):
        """Columns whose middle lies within `half` pixels of `centre`."""
        return slice(max(0, int(np.ceil((centre - half) / COLUMN_STRIDE - 0.5))), max(0, int(np.floor((centre + half) / COLUMN_STRIDE - 0.5)) + 1))

    for _, centre, width in marks:
        out[span(centre, 0.5 * width)] = UNKNOWN
    for label, centre, width in marks:
        out[span(centre, max(0.25 * width, 1.0))] = label
        out[min(max(int(centre // COLUMN_STRIDE), 0), COLUMNS - 1)] = label
    for (l1, c1, _), (l2, c2, _) in zip(marks, marks[1:]):
        if l1 == l2:                                   # the same letter twice needs a blank between
            out[int(np.clip((c1 + c2) / 2 // COLUMN_STRIDE, 0, COLUMNS - 1))] = 0
    return out


def margins(rng):
    """How far the finder's quad is off, as parts of width and height: left, top, right, bottom."""
    m = rng.uniform(-0.02, 0.16)
    side = m * np.array((0.8, 1.0, 0.8, 1.0)) * rng.uniform(0.4, 1.2) + rng.normal(0, 0.02, 4) * (1, 2, 1, 2)
    return np.clip(side, (-0.03, -0.05, -0.03, -0.05), (0.2, 0.4, 0.2, 0.4))


def seen(rng, backdrops, plate, alpha, corners, cut, hardness=1.0):
    """Put a plate picture into a backdrop, look at it with a bad camera, cut it out with an inexact quad.

    -> (crop, [maps patch -> crop], map plate's unit square -> patch)
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
    crop, maps = cut(patch, around)
    return crop, maps, unit_to(quad)


def unit_to(quad):
    """Homography from the plate's unit square to `quad`, in the pixel convention of cv2 (centres at whole numbers)."""
    return homography([[0, 0], [1, 0], [1, 1], [0, 1]], np.float64(quad))


def unsure_cut(rng):
    """Two-line cut whose dividing line is not exactly where it should be."""
    return lambda patch, quad: cuts.two_lines(patch, quad, *np.clip(cuts.HALF + rng.normal(0, 0.025, 2), 0.46, 0.62))


class RealPlates:
    """Labelled plates of the train photos: `crops` (plate pictures), `scenes` (cars), `doubles` (two-line plate pictures);
    each entry is (picture, quad, text, region), with `p` the probability of drawing it."""

    def __init__(self):
        groups = {"crops": [], "scenes": [], "doubles": []}
        for row in photos.training_rows(kind="plate"):
            for plate, quad in zip(row["plates"], photos.corners(row)):
                double = is_double(row)
                text = photos.label(plate)
                text = photos.clean(text) if text and (double or row["width"] >= 1.5 * row["height"]) else None
                image = photos.grey(row) if text else None
                if image is not None:
                    image, k = photos.fit_within(image, 320)
                    if quad is None:
                        quad = photos.box_quad((0, 0, image.shape[1], image.shape[0])) / k
                    groups["doubles" if double else "crops"].append(((image, quad * k, text, regions.of_photo(row)), EMPHASIS.get(row["set"], 1.0)))
        for row in photos.training_rows(kind="scene"):
            image = None
            for plate, quad in zip(row["plates"], photos.corners(row)):
                text = photos.label(plate)
                text = photos.clean(text) if text else None
                if quad is None and plate.get("box"):
                    quad = photos.box_quad(plate["box"])
                if not text or quad is None:
                    continue
                x, y = quad.min(0)
                w, h = quad.max(0) - (x, y)
                if w < 1.5 * h:
                    continue
                image = photos.grey(row) if image is None else image
                if image is None:
                    break
                pad = 0.6 * w
                x0, y0 = int(max(0, x - pad)), int(max(0, y - pad))
                part, k = photos.fit_within(image[y0:int(y + h + pad), x0:int(x + w + pad)], 640)
                groups["scenes"].append(((part, (quad - (x0, y0)) * k, text, regions.of_photo(row)), EMPHASIS.get(row["set"], 1.0)))
        self.groups = {name: ([entry for entry, _ in group], weights([w for _, w in group])) for name, group in groups.items()}

    def draw(self, rng, name):
        """An entry of a group, None when it is empty."""
        entries, p = self.groups[name]
        return entries[rng.choice(len(entries), p=p)] if entries else None


class ReaderData:
    """Endless samples. `shares`: rendered / real / none (no plate)."""

    def __init__(self, seed, shares=(0.54, 0.34, 0.12)):
        self.rng = np.random.default_rng(seed)
        cv2.setRNGSeed(seed)
        self.bank, self.backdrops, self.shares, self.count = Bank(), Backdrops(), shares, 0
        self.real, self.fakes = RealPlates(), Fakes(self.backdrops, seed)

    def rendered(self):
        rng = self.rng
        grey, alpha, corners, chars, text, region, state = self.bank[rng.integers(len(self.bank))]
        double = bool(chars) and chars[-1][1] >= 1
        roll = rng.random()
        if roll < 0.025 and not double:                      # upside down or mirrored: nobody can vouch for such a read
            grey, alpha = (a[::-1, ::-1] if roll < 0.015 else a[:, ::-1] for a in (grey, alpha))
            crop, *_ = seen(rng, self.backdrops, np.ascontiguousarray(grey), np.ascontiguousarray(alpha), corners, cuts.one_line)
            return nothing(crop)
        wrong = roll > (0.8 if double else 0.965)            # cut as the other number of lines
        cut = unsure_cut(rng) if double != wrong else cuts.one_line
        crop, maps, unit = seen(rng, self.backdrops, grey, alpha, corners, cut)
        if wrong:
            return nothing(crop)
        return crop, text, columns_of(spots(chars, maps, unit)), regions.of_rendered(region, state)

    def real_crop(self, name="crops"):
        """A real plate picture, whose edges are about the plate's: put into a scene, or cut as it is."""
        rng = self.rng
        image, corners, text, region = self.real.draw(rng, name)
        cut = unsure_cut(rng) if name == "doubles" else cuts.one_line
        h, w = image.shape
        if rng.random() < 0.75:
            crop, *_ = seen(rng, self.backdrops, image, np.full((h, w), 255, np.uint8), corners, cut)
        else:
            k = min(1.0, np.exp(rng.uniform(np.log(50), np.log(260))) / w)
            small = image if k == 1 else cv2.resize(image, None, fx=k, fy=k, interpolation=cv2.INTER_AREA)
            small = optics(rng, shade(rng, relight(rng, small)), min(1.0, 0.3 + small.shape[1] / 200))
            crop, _ = cut(small, grow(corners * k, *margins(rng)) + rng.normal(0, 0.012, (4, 2)) * small.shape[::-1])
        return crop, text, np.full(COLUMNS, UNKNOWN, np.int16), region

    def real_scene(self):
        rng = self.rng
        image, quad, text, region = self.real.draw(rng, "scenes")
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
        crop, _ = cuts.one_line(image, cut)
        return crop, text, np.full(COLUMNS, UNKNOWN, np.int16), region

    def fake(self):
        rng = self.rng
        cut = cuts.one_line if rng.random() < 0.85 else cuts.two_lines
        return nothing(self.fakes(rng, lambda picture, quad: cut(picture, quad)[0], margins))

    def sample(self):
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
            if kind > 0.93 and groups["doubles"][0]:
                return self.real_crop("doubles")
            if groups["crops"][0]:
                return self.real_crop()
        return self.rendered()


def nothing(crop):
    """A sample that says nothing."""
    return crop, "", np.zeros(COLUMNS, np.int16), UNKNOWN


def weights(values):
    v = np.asarray(values, np.float64)
    return v / v.sum() if len(v) else v


def is_double(row):
    """Is the photo a crop of a two-line plate?"""
    return row["set"] == "openalpr-td-eu2"
