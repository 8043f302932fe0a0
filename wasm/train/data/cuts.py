"""Crops of a plate for the reader: the whole plate, or one line of two."""
import numpy as np

from data.camera_effects import rectify
from nets.shapes import READER_H, READER_W

HALF = 0.54  # fraction of the height for each line of a two-line plate, so that the lines overlap in the middle


def halves(quad, part=HALF):
    """Quad -> (quad of its upper part, quad of its lower part)."""
    a, b, c, d = np.float64(quad)
    low = lambda top, bottom, t: top + (bottom - top) * t
    return (
        np.stack([a, b, low(b, c, part), low(a, d, part)]),
        np.stack([low(a, d, 1 - part), low(b, c, 1 - part), c, d]),
    )


def one_line(patch, quad):
    """-> (crop uint8 [48, 160], map patch -> crop)"""
    return rectify(patch, quad, READER_W, READER_H)


def line_of_two(patch, quad, line, part=HALF):
    """The upper (0) or lower (1) line of a two-line plate,
    scaled like a plate of one line -> (crop, map patch -> crop)"""
    return one_line(patch, halves(quad, part)[line])
