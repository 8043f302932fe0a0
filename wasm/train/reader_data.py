"""Samples for the reader: crops 48x160 as the finder would hand them over, with what they say.

A sample is (crop uint8 [48, 160], text, columns int16 [40]): columns holds the class per output column, or -1 where
it is not known. A text of "" is a crop without a plate.
"""
import cv2
import numpy as np

import photos
from bank import Bank
from looks import dirt, grow, homography, optics, paste, project, random_quad, rectify, relight, shade, shrink_for
from nets.shapes import COLUMN_STRIDE, READER_H, READER_W

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
COLUMNS = READER_W // COLUMN_STRIDE
UNKNOWN = -1


def spots(chars, m, quad_to_patch):
    """(class, centre, width) of each character in pixels of the crop. `chars` as of Plate; `m` patch -> crop."""
    ends = project(m @ quad_to_patch, [[x, 0.5] for _, a, b in chars for x in (a, b)])[:, 0].reshape(-1, 2)
    return [(ALPHABET.index(c) + 1, (x0 + x1) / 2, abs(x1 - x0)) for (c, _, _), (x0, x1) in zip(chars, ends)]


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


class Backdrops:
    """Grey surroundings without a plate (`clear`), with a real plate in the middle (`framed`: picture, box), and places
    that the finder took for a plate (`mined`: picture, quad)."""

    def __init__(self):
        self.clear, self.framed, self.mined = [], [], []
        for row in photos.training_rows(kind="scene"):
            image = photos.grey(row)
            if image is None:
                continue
            if not row["plates"]:
                self.clear.append(photos.fit_within(image, 640)[0])
                small, k = photos.fit_within(image, 960)
                for _, cx, cy, w, h in photos.mined(row):
                    self.mined.append((small, photos.box_quad(((cx - w / 2) * k, (cy - h / 2) * k, w * k, h * k))))
            for plate in row["plates"]:
                if plate.get("box"):
                    x, y, w, h = plate["box"]
                    cx, cy, side = x + w / 2, y + h / 2, 3 * w
                    x0, y0 = int(max(0, cx - side / 2)), int(max(0, cy - side / 3))
                    part = image[y0:int(cy + side / 3), x0:int(cx + side / 2)]
                    if min(part.shape) > 20:
                        part, k = photos.fit_within(part, 480)
                        self.framed.append((part, ((cx - x0) * k, (cy - y0) * k, w * k, h * k)))
        if not self.clear:
            rng = np.random.default_rng(5)
            self.clear = [self.invented(rng) for _ in range(100)]

    @staticmethod
    def invented(rng):
        """A surrounding made of bars and blobs, when there is no photo."""
        image = np.full((300, 400), rng.uniform(20, 220), np.float32)
        for _ in range(25):
            tone = float(rng.uniform(0, 255))
            if rng.random() < 0.6:
                y = int(rng.uniform(0, 300))
                cv2.line(image, (0, y), (400, y + int(rng.normal(0, 15))), tone, int(rng.integers(1, 30)))
            else:
                cv2.circle(image, (int(rng.uniform(0, 400)), int(rng.uniform(0, 300))), int(rng.uniform(3, 60)), tone, -1)
        return cv2.GaussianBlur(image, (0, 0), rng.uniform(0.5, 4)).astype(np.uint8)

    def patch(self, rng, w, h, plate_w):
        """Backdrop float32 [h, w] for a plate `plate_w` pixels wide in its middle."""
        if self.framed and rng.random() < 0.45:
            image, (cx, cy, bw, bh) = self.framed[rng.integers(len(self.framed))]
            k = plate_w * rng.uniform(0.8, 1.0) / bw
            m = np.float32([[k, 0, w / 2 - cx * k], [0, k, h / 2 - cy * k]])
            image, s = shrink_for(image, k)
            m[:, :2] /= s
            return cv2.warpAffine(image, m, (w, h), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE).astype(np.float32)
        if rng.random() < 0.15:
            return np.full((h, w), rng.uniform(5, 230), np.float32)
        image = self.clear[rng.integers(len(self.clear))]
        return random_part(rng, image, w, h).astype(np.float32)


def random_part(rng, image, w, h):
    """A random window of a picture, enlarged or shrunk to w x h."""
    k = rng.uniform(0.5, 2.0)
    ww, hh = min(image.shape[1], max(8, int(w * k))), min(image.shape[0], max(8, int(h * k)))
    x, y = rng.integers(image.shape[1] - ww + 1), rng.integers(image.shape[0] - hh + 1)
    return cv2.resize(image[y:y + hh, x:x + ww], (w, h), interpolation=cv2.INTER_AREA if k > 1 else cv2.INTER_LINEAR)


def margins(rng):
    """How far the finder's quad is off, as parts of width and height: left, top, right, bottom."""
    m = rng.uniform(-0.02, 0.16)
    side = m * np.array((0.8, 1.0, 0.8, 1.0)) * rng.uniform(0.4, 1.2) + rng.normal(0, 0.02, 4) * (1, 2, 1, 2)
    return np.clip(side, (-0.03, -0.05, -0.03, -0.05), (0.2, 0.4, 0.2, 0.4))


def seen(rng, backdrops, plate, alpha, corners, chars, hardness=1.0):
    """Put a plate picture into a backdrop, look at it with a bad camera, cut it out with an inexact quad."""
    pw = np.linalg.norm(corners[1] - corners[0])
    ph = np.linalg.norm(corners[3] - corners[0])
    w = float(np.exp(rng.uniform(np.log(44), np.log(200))))
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
    cut = grow(quad, *margins(rng)) + rng.normal(0, 0.02, (4, 2)) * (w * 0.6, w * ph / pw)
    crop, m = rectify(patch, cut, READER_W, READER_H)
    if chars is None:
        return crop, None
    return crop, spots(chars, m, unit_to(quad))


def unit_to(quad):
    """Homography from the plate's unit square to `quad`, in the pixel convention of cv2 (centres at whole numbers)."""
    return homography([[0, 0], [1, 0], [1, 1], [0, 1]], np.float64(quad))


class ReaderData:
    """Endless samples. Shares: rendered / real / none (no plate)."""

    def __init__(self, seed, shares=(0.6, 0.3, 0.1)):
        self.rng = np.random.default_rng(seed)
        cv2.setRNGSeed(seed)
        self.bank, self.backdrops, self.shares, self.count = Bank(), Backdrops(), shares, 0
        self.crops, self.scenes = [], []
        for row in photos.training_rows(kind="plate"):
            for plate, quad in zip(row["plates"], photos.corners(row)):
                text = photos.label(plate)
                text = clean_line(row, text)
                image = photos.grey(row) if text else None
                if image is not None:
                    weight = {"openalpr-seg-us": 4.0}.get(row["set"], 1.0)
                    image, k = photos.fit_within(image, 320)
                    if quad is None:
                        quad = photos.box_quad((0, 0, image.shape[1], image.shape[0])) / k
                    self.crops.append((image, quad * k, text, weight))
        for row in photos.training_rows(kind="scene"):
            image = None
            for plate, quad in zip(row["plates"], photos.corners(row)):
                text = photos.label(plate)
                text = photos.clean(text) if text else None
                if quad is None and plate.get("box"):
                    quad = photos.box_quad(plate["box"])
                if text and quad is not None:
                    x, y = quad.min(0)
                    w, h = quad.max(0) - (x, y)
                    if w < 1.5 * h:
                        continue
                    image = photos.grey(row) if image is None else image
                    if image is None:
                        break
                    pad = 0.6 * w
                    x0, y0 = int(max(0, x - pad)), int(max(0, y - pad))
                    part = image[y0:int(y + h + pad), x0:int(x + w + pad)]
                    part, k = photos.fit_within(part, 640)
                    weight = {"openalpr-e2e-us": 6.0, "us-51-closeups": 4.0, "openalpr-e2e-eu": 2.0, "openalpr-e2e-br": 2.0}.get(row["set"], 1.0)
                    self.scenes.append((part, (quad - (x0, y0)) * k, text, weight))
        self.crop_p = weights([c[3] for c in self.crops])
        self.scene_p = weights([s[3] for s in self.scenes])

    def rendered(self):
        rng = self.rng
        grey, alpha, corners, chars, text, _ = self.bank[rng.integers(len(self.bank))]
        crop, marks = seen(rng, self.backdrops, grey, alpha, corners, chars)
        return crop, text, columns_of(marks)

    def real_crop(self):
        """A real plate picture, whose edges are about the plate's: put into a scene, or cut as it is."""
        rng = self.rng
        image, corners, text, _ = self.crops[rng.choice(len(self.crops), p=self.crop_p)]
        h, w = image.shape
        if rng.random() < 0.75:
            crop, _ = seen(rng, self.backdrops, image, np.full((h, w), 255, np.uint8), corners, None)
        else:
            k = min(1.0, np.exp(rng.uniform(np.log(50), np.log(260))) / w)
            small = image if k == 1 else cv2.resize(image, None, fx=k, fy=k, interpolation=cv2.INTER_AREA)
            small = optics(rng, shade(rng, relight(rng, small)), min(1.0, 0.3 + small.shape[1] / 200))
            cut = grow(corners * k, *margins(rng)) + rng.normal(0, 0.012, (4, 2)) * small.shape[::-1]
            crop, _ = rectify(small, cut, READER_W, READER_H)
        return crop, text, np.full(COLUMNS, UNKNOWN, np.int16)

    def real_scene(self):
        rng = self.rng
        image, quad, text, _ = self.scenes[rng.choice(len(self.scenes), p=self.scene_p)]
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
        crop, _ = rectify(image, cut, READER_W, READER_H)
        return crop, text, np.full(COLUMNS, UNKNOWN, np.int16)

    def nothing(self):
        """A crop without a plate: what the finder wrongly proposed, or any part of a plate-free photo, at any shape."""
        rng = self.rng
        if self.backdrops.mined and rng.random() < 0.5:
            image, quad = self.backdrops.mined[rng.integers(len(self.backdrops.mined))]
            w, h = quad[1, 0] - quad[0, 0], quad[3, 1] - quad[0, 1]
            crop, _ = rectify(image, grow(quad, *margins(rng)) + rng.normal(0, 0.08, (4, 2)) * (w, h), READER_W, READER_H)
            return optics(rng, relight(rng, crop), 0.6), "", np.zeros(COLUMNS, np.int16)
        image = self.backdrops.clear[rng.integers(len(self.backdrops.clear))]
        aspect = rng.uniform(1.2, 5)
        w = min(float(np.exp(rng.uniform(np.log(30), np.log(320)))), image.shape[1] - 4.0, (image.shape[0] - 4.0) * aspect)
        quad = random_quad(rng, w, w / aspect)
        size = np.array(image.shape[::-1])
        quad = quad - quad.mean(0) + np.array((rng.uniform(w / 2, max(w / 2 + 1, size[0] - w / 2)), rng.uniform(w / aspect / 2, max(w / aspect / 2 + 1, size[1] - w / aspect / 2))))
        crop, _ = rectify(image, quad, READER_W, READER_H)
        crop = optics(rng, relight(rng, crop), 0.6)
        return crop, "", np.zeros(COLUMNS, np.int16)

    def sample(self):
        self.count += 1
        if self.count % 20000 == 0:
            self.bank.refresh()
        roll = self.rng.random()
        real = len(self.crops) + len(self.scenes) > 0
        if roll < self.shares[2]:
            return self.nothing()
        if real and roll < self.shares[2] + self.shares[1]:
            return self.real_scene() if self.scenes and self.rng.random() < 0.4 else self.real_crop()
        return self.rendered()

    def batch(self, n):
        """-> crops uint8 [n, 48, 160], texts, columns int16 [n, 40]"""
        crops, texts, columns = zip(*(self.sample() for _ in range(n)))
        return np.stack(crops), list(texts), np.stack(columns)


def weights(values):
    v = np.asarray(values, np.float64)
    return v / v.sum() if len(v) else v


def clean_line(row, text):
    """Label of a one-line crop; two-line plates have no place in one row of columns."""
    if not text or row["set"] == "openalpr-td-eu2" or row["width"] < 1.5 * row["height"]:
        return None
    return photos.clean(text)
