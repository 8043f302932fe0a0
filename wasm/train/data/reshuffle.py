"""New plates from real ones: characters change places, or come from another plate of the same kind.

A few hundred real plates, seen thousands of times each, would be memorised. Exchanging their characters (letters for
letters, digits for digits) keeps light, print and dirt real and leaves no text to memorise.
"""
import cv2
import numpy as np

from data.camera_effects import grow, rectify

ASIDE, ABOVE = 0.3, 0.5  # surroundings kept around the plate, fractions of its width and height
MOST_WIDTH = 300  # pixels of the plate itself
ALIKE = 1.3  # strips whose widths differ more are not exchanged


class Strips:
    """A rectified real plate: `image` uint8, `quad` of the plate in it, `text`,
    `spans` [(x0, x1)] of its characters."""

    def __init__(self, image, quad, text, centres):
        w = min(MOST_WIDTH, float(np.linalg.norm(quad[1] - quad[0]) + np.linalg.norm(quad[2] - quad[3])) / 2)
        h = (
            w
            * float(np.linalg.norm(quad[3] - quad[0]) + np.linalg.norm(quad[2] - quad[1]))
            / float(np.linalg.norm(quad[1] - quad[0]) + np.linalg.norm(quad[2] - quad[3]))
        )
        size = int(round(w * (1 + 2 * ASIDE))), int(round(h * (1 + 2 * ABOVE)))
        self.image, _ = rectify(image, grow(quad, ASIDE, ABOVE, ASIDE, ABOVE), *size)
        x, y = size[0] * ASIDE / (1 + 2 * ASIDE), size[1] * ABOVE / (1 + 2 * ABOVE)
        self.quad = np.float32([[x, y], [size[0] - x, y], [size[0] - x, size[1] - y], [x, size[1] - y]])
        self.rows = slice(max(0, int(y)), int(np.ceil(size[1] - y)))
        self.text, self.centres = text, centres
        c = np.array(centres)
        steps = np.diff(c)
        left, right = np.r_[np.median(steps), steps], np.r_[steps, np.median(steps)]
        half = np.minimum(np.minimum(left, right), 1.25 * np.median(steps)) / 2  # gaps and emblems keep their places
        self.spans = [
            (int(round(x + (u - d) * (size[0] - 2 * x))), int(round(x + (u + d) * (size[0] - 2 * x))))
            for u, d in zip(c, half)
        ]
        face = self.image[self.rows, self.spans[0][0] : self.spans[-1][1]]
        self.dark = float(face.mean()) < float(np.median(face))  # dark print on a light ground

    def strip(self, i):
        return self.image[self.rows, slice(*self.spans[i])]

    def usable(self):
        return all(0 <= a and b <= self.image.shape[1] and b - a >= 4 for a, b in self.spans)


def strips_of(image, quad, text, centres):
    """Strips of a plate, None when its characters are too close or outside the picture."""
    if len(text) < 3 or min(np.diff(centres)) < 0.03:
        return None
    strips = Strips(image, np.float64(quad), text, centres)
    return strips if strips.usable() else None


def reshuffle(rng, plate, others):
    """(picture, quad, text, centres) of `plate` with characters exchanged;
    `others` are plates of the same kind that may contribute some."""
    image, text = plate.image.copy(), list(plate.text)
    for i in np.flatnonzero(rng.random(len(text)) < rng.choice((0.35, 0.9))):
        donor = others[rng.integers(len(others))] if others and rng.random() < 0.6 else plate
        if donor.dark != plate.dark:
            donor = plate
        wanted = [k for k, c in enumerate(donor.text) if c.isdigit() == plate.text[i].isdigit()]
        if not wanted:
            continue
        k = wanted[rng.integers(len(wanted))]
        own, new = plate.strip(i), donor.strip(k)
        if max(own.shape[1] / new.shape[1], new.shape[1] / own.shape[1]) > ALIKE and donor is plate:
            continue
        new = cv2.resize(
            new, own.shape[::-1], interpolation=cv2.INTER_AREA if new.shape[0] > own.shape[0] else cv2.INTER_LINEAR
        ).astype(np.float32)
        if donor is not plate:
            new = (new - new.mean()) * (max(4.0, float(own.std())) / max(4.0, float(new.std())))
        new += rim(own) - rim(new)
        image[plate.rows, slice(*plate.spans[i])] = np.clip(new, 0, 255)
        text[i] = donor.text[k]
    return image, plate.quad, "".join(text), plate.centres


def rim(strip):
    """Mean tone of the left and right edge of a strip: the ground between characters."""
    return (float(strip[:, 0].mean()) + float(strip[:, -1].mean())) / 2
