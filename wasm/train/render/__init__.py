"""Rendering of synthetic plates: needs fonts (see fonts.py) and a seeded generator, no photo.

    faces = Faces(font_folder)                    # or Faces(None): drawn strokes only
    plate = render_plate(numpy.random.default_rng(7), faces, region="us", state="CA")
    plate.image, plate.alpha, plate.corners, plate.text, plate.chars
"""
from .fonts import Faces
from .plate import Plate, render_plate

__all__ = ["Faces", "Plate", "render_plate"]
