"""Surroundings of plates, and things that look like a plate but are not."""
import cv2
import numpy as np

from data import photos
import settings
from data.camera_effects import grow, optics, random_quad, relight, shade, shrink_for
from render import Faces
from render.grounds import CITIES, SLOGANS
from render.plate import DEALERS

STREETS = [
    "MAIN ST",
    "HWY 65",
    "HARBOR BLVD",
    "CIVIC GARAGE",
    "EXIT 12",
    "LANE 2",
    "NORTH",
    "SOUTH GATE",
    "CAM",
    "ENTRANCE",
    "PARKING",
    "I-80",
    "BRIDGE",
    "GATE 4",
    "STOP",
    "POLICE",
    "TAXI",
    "SCHOOL BUS",
    "SHERIFF",
    "FORD",
    "TOYOTA",
    "CHEVROLET",
    "SILVERADO",
    "4X4",
    "TURBO",
    "HYBRID",
    "SALE",
    "NO PARKING",
    "SPEED LIMIT 25",
]


class Backdrops:
    """Grey surroundings without a plate (`clear`), with a real plate in the middle (`framed`: picture, box), and places
    that the finder mistook for a plate (`mined`: picture, quad)."""

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
                    part = image[y0 : int(cy + side / 3), x0 : int(cx + side / 2)]
                    if min(part.shape) > 20:
                        part, k = photos.fit_within(part, 480)
                        self.framed.append((part, ((cx - x0) * k, (cy - y0) * k, w * k, h * k)))
        if not self.clear:
            rng = np.random.default_rng(5)
            self.clear = [self.invented(rng) for _ in range(100)]

    @staticmethod
    def invented(rng):
        """Surroundings of bars and blobs, without a photo."""
        image = np.full((300, 400), rng.uniform(20, 220), np.float32)
        for _ in range(25):
            tone = float(rng.uniform(0, 255))
            if rng.random() < 0.6:
                y = int(rng.uniform(0, 300))
                cv2.line(image, (0, y), (400, y + int(rng.normal(0, 15))), tone, int(rng.integers(1, 30)))
            else:
                cv2.circle(
                    image, (int(rng.uniform(0, 400)), int(rng.uniform(0, 300))), int(rng.uniform(3, 60)), tone, -1
                )
        return cv2.GaussianBlur(image, (0, 0), rng.uniform(0.5, 4)).astype(np.uint8)

    def patch(self, rng, w, h, plate_w):
        """Backdrop float32 [h, w] for a plate `plate_w` pixels wide in its middle."""
        if self.framed and rng.random() < 0.45:
            image, (cx, cy, bw, bh) = self.framed[rng.integers(len(self.framed))]
            k = plate_w * rng.uniform(0.8, 1.0) / bw
            m = np.float32([[k, 0, w / 2 - cx * k], [0, k, h / 2 - cy * k]])
            image, s = shrink_for(image, k)
            m[:, :2] /= s
            return cv2.warpAffine(image, m, (w, h), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE).astype(
                np.float32
            )
        if rng.random() < 0.15:
            return np.full((h, w), rng.uniform(5, 230), np.float32)
        image = self.clear[rng.integers(len(self.clear))]
        return random_part(rng, image, w, h).astype(np.float32)


def random_part(rng, image, w, h):
    """A random window of a picture, enlarged or shrunk to w x h."""
    k = rng.uniform(0.5, 2.0)
    ww, hh = min(image.shape[1], max(8, int(w * k))), min(image.shape[0], max(8, int(h * k)))
    x, y = rng.integers(image.shape[1] - ww + 1), rng.integers(image.shape[0] - hh + 1)
    return cv2.resize(
        image[y : y + hh, x : x + ww], (w, h), interpolation=cv2.INTER_AREA if k > 1 else cv2.INTER_LINEAR
    )


def caption(rng):
    """Text of a camera or a sign: a place, a time, words."""
    roll = rng.random()
    if roll < 0.35:
        n = rng.integers(0, 60, 6)
        day = (
            f"{2005 + n[0] % 25}-{1 + n[1] % 12:02d}-{1 + n[2] % 28:02d}"
            if rng.random() < 0.6
            else f"{1 + n[1] % 12:02d}/{1 + n[2] % 28:02d}/{2005 + n[0] % 25}"
        )
        clock = f"{n[3] % 24:02d}:{n[4]:02d}:{n[5]:02d}"
        return [day, clock, f"{day} {clock}"][rng.integers(3)]
    words = STREETS if roll < 0.75 else DEALERS if roll < 0.9 else SLOGANS if roll < 0.95 else CITIES
    text = words[rng.integers(len(words))]
    if roll < 0.5:
        text += ["", " N", " SB", f" {rng.integers(1, 99)}", f" {rng.integers(1, 9)}B"][rng.integers(5)]
    return text


def inscription(rng, backdrops, faces):
    """A crop source with writing that is not a plate: (picture float32, quad around the writing)."""
    h = float(np.exp(rng.uniform(np.log(10), np.log(50))))
    mask = faces.small_text(rng, caption(rng), max(8, h)).astype(np.float32) / 255
    w, h = mask.shape[1], mask.shape[0]
    pad = int(1.2 * h) + 4
    image = backdrops.patch(rng, w + 2 * pad, h + 2 * pad, w)
    box = (slice(pad, pad + h), slice(pad, pad + w))
    if rng.random() < 0.3:  # a sign: its own background
        image[pad - 3 : pad + h + 3, pad - 3 : pad + w + 3] = rng.uniform(0, 255)
    tone = rng.choice([0.0, 255.0, 230.0, 30.0])
    if abs(float(image[box].mean()) - tone) < 60:
        tone = 255.0 - tone
    if rng.random() < 0.3:  # captions are often outlined
        edge = cv2.dilate(mask, np.ones((3, 3), np.uint8))
        image[box] += (255.0 - tone - image[box]) * edge
    image[box] += (tone - image[box]) * mask
    quad = np.float64([[pad, pad], [pad + w, pad], [pad + w, pad + h], [pad, pad + h]])
    return image, grow(quad, *(rng.uniform(-0.05, 0.2, 4) * (1, 2, 1, 2)))


class Fakes:
    """Crops without text: wrong proposals of the finder, captions and signs, any part of a plate-free photo."""

    def __init__(self, backdrops, seed):
        self.backdrops, self.faces = backdrops, Faces(settings.cache("fonts"), strokes=10, seed=seed)

    def __call__(self, rng, cut, margins):
        """`cut(picture, quad)` makes the crop; `margins(rng)` are those of the finder. -> crop uint8"""
        roll = rng.random()
        if self.backdrops.mined and roll < 0.4:
            image, quad = self.backdrops.mined[rng.integers(len(self.backdrops.mined))]
            w, h = quad[1, 0] - quad[0, 0], quad[3, 1] - quad[0, 1]
            crop = cut(image, grow(quad, *margins(rng)) + rng.normal(0, 0.08, (4, 2)) * (w, h))
        elif roll < 0.6:
            image, quad = inscription(rng, self.backdrops, self.faces)
            return cut(optics(rng, shade(rng, image), 0.5), quad)
        else:
            crop = cut(*self.anywhere(rng))
        return optics(rng, relight(rng, crop), 0.6)

    def anywhere(self, rng):
        """A random quad of any shape in a photo without a plate."""
        image = self.backdrops.clear[rng.integers(len(self.backdrops.clear))]
        aspect = rng.uniform(1.1, 5)
        w = min(
            float(np.exp(rng.uniform(np.log(30), np.log(320)))), image.shape[1] - 4.0, (image.shape[0] - 4.0) * aspect
        )
        h = w / aspect
        quad = random_quad(rng, w, h)
        size = image.shape[::-1]
        centre = [
            rng.uniform(side / 2, max(side / 2 + 1, whole - side / 2)) for side, whole in ((w, size[0]), (h, size[1]))
        ]
        return image, quad - quad.mean(0) + centre
