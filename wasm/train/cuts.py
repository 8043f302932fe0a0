"""Cutting a plate out of a picture for the reader: as one line, or as two lines laid side by side."""
import numpy as np

from looks import rectify
from nets.shapes import READER_H, READER_W

HALF = 0.54   # each line of a two-line cut takes this part of the height, so that the lines overlap in the middle


def halves(quad, upper=HALF, lower=HALF):
    """Quad -> (quad of its upper part, quad of its lower part)."""
    a, b, c, d = np.float64(quad)
    low = lambda top, bottom, t: top + (bottom - top) * t
    return (np.stack([a, b, low(b, c, upper), low(a, d, upper)]),
            np.stack([low(a, d, 1 - lower), low(b, c, 1 - lower), c, d]))


def one_line(patch, quad):
    """-> (crop uint8 [48, 160], [map patch -> crop])"""
    crop, m = rectify(patch, quad, READER_W, READER_H)
    return crop, [m]


def two_lines(patch, quad, upper=HALF, lower=HALF):
    """Upper line in the left half of the crop, lower line in the right -> (crop, [map of the upper, map of the lower])"""
    half = READER_W // 2
    (top, m0), (bottom, m1) = (rectify(patch, q, half, READER_H) for q in halves(quad, upper, lower))
    move = np.float64([[1, 0, half], [0, 1, 0], [0, 0, 1]])
    return np.hstack([top, bottom]), [m0, move @ m1]
