"""Samples for the issuer net: whole plates 64x128 with the region that issued them (regions.py).

Rendered plates use the states' real designs; real ones are the crops whose state is known. One in ten has no plate
(UNKNOWN is trained towards a flat output), so that the net does not name a state where no plate is visible.
"""
import cv2
import numpy as np

from data import photos
from data import regions
from data.backdrops import Backdrops, Fakes
from data.bank import Bank
from data.camera_effects import grow, optics, rectify, relight, shade
from nets.shapes import ISSUER_H, ISSUER_W
from data.reader_data import RealPlates, margins, seen

REAL = 0.3  # share of real plates
NOTHING = 0.08  # share of samples without a plate


def whole(picture, quad):
    """-> (crop uint8 [64, 128], map picture -> crop)"""
    return rectify(picture, quad, ISSUER_W, ISSUER_H)


class IssuerData:
    """Endless samples (crop uint8 [64, 128], region or UNKNOWN)."""

    def __init__(self, seed):
        self.rng = np.random.default_rng(seed)
        cv2.setRNGSeed(seed)
        self.bank, self.backdrops = Bank(), Backdrops()
        self.fakes = Fakes(self.backdrops, seed)
        known = [p for group, _ in RealPlates().groups.values() for p in group if p.region >= 0]
        counts = np.bincount([p.region for p in known], minlength=len(regions.REGIONS))
        self.real = known
        weights = np.array([counts[p.region] ** -0.6 for p in known])  # states with few photos are drawn more often
        self.p = weights / weights.sum() if known else None

    def rendered(self):
        grey, alpha, corners, _, _, region, state = self.bank[self.rng.integers(len(self.bank))]
        crop, _ = seen(self.rng, self.backdrops, grey, alpha, corners, whole, 0.7)
        return crop, regions.of_rendered(region, state)

    def photographed(self):
        rng = self.rng
        plate = self.real[rng.choice(len(self.real), p=self.p)]
        image, k = plate.image, min(
            1.0, np.exp(rng.uniform(np.log(60), np.log(260))) / float(np.linalg.norm(plate.quad[1] - plate.quad[0]))
        )
        small = image if k == 1 else cv2.resize(image, None, fx=k, fy=k, interpolation=cv2.INTER_AREA)
        small = optics(rng, shade(rng, relight(rng, small)), 0.5)
        quad = grow(plate.quad * k, *margins(rng)) + rng.normal(0, 0.012, (4, 2)) * np.ptp(plate.quad * k, 0)
        return whole(small, quad)[0], plate.region

    def sample(self):
        roll = self.rng.random()
        if roll < NOTHING:
            return self.fakes(self.rng, lambda picture, quad: whole(picture, quad)[0], margins), regions.UNKNOWN
        return self.photographed() if roll < NOTHING + REAL and self.real else self.rendered()
