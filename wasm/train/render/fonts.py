"""Faces of plates: fonts from a folder, system fonts for small lettering, drawn strokes."""
import pathlib

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from .strokes import StrokeFace

PLATE_FONTS = (
    "saira-condensed",
    "saira-extra-condensed",
    "barlow-condensed",
    "overpass-mono",
    "share-tech-mono",
    "big-shoulders-display",
    "norwester",
    "OSP-DIN",
)
SYSTEM = ("/usr/share/fonts/truetype",)


class FontFace:
    """A font file as a plate face. `glyph(char)`: mask uint8 [HEIGHT, width], cap height = HEIGHT, tight in x."""

    HEIGHT = 96

    def __init__(self, path):
        self.path, self.cache = str(path), {}
        size = 130
        font = ImageFont.truetype(self.path, size)
        top, bottom = font.getbbox("H")[1], font.getbbox("H")[3]
        self.size = int(round(size * self.HEIGHT / max(1, bottom - top)))
        self.font = ImageFont.truetype(self.path, self.size)
        self.top = self.font.getbbox("H")[1]

    def glyph(self, char):
        if char not in self.cache:
            x0, _, x1, _ = self.font.getbbox(char)
            image = Image.new("L", (x1 - x0 + 8, self.top + self.HEIGHT + 20))
            ImageDraw.Draw(image).text((4 - x0, 0), char, 255, font=self.font)
            mask = np.asarray(image)[self.top : self.top + self.HEIGHT]
            columns = np.flatnonzero(mask.max(0) > 60)
            self.cache[char] = np.ascontiguousarray(mask[:, columns[0] : columns[-1] + 1])
        return self.cache[char]


class Faces:
    """All available faces. `folder` of unpacked fontsource packages, or None."""

    def __init__(self, folder=None, strokes=400, seed=0):
        rng = np.random.default_rng(seed)
        self.strokes = [StrokeFace(rng) for _ in range(strokes)]
        files = sorted(pathlib.Path(folder).rglob("*.woff")) if folder else []
        system = sorted(p for root in SYSTEM for p in pathlib.Path(root).rglob("*.ttf"))
        self.fonts = {}
        for path in files + system:
            for name in PLATE_FONTS:
                if path.name.lower().startswith(name.lower() + ("-latin" if path.suffix == ".woff" else "")):
                    if not any(f"-{w}-" in path.name for w in (100, 200, 300)):
                        self.fonts.setdefault(name, []).append(FontFace(path))
        self.lettering = [
            str(p)
            for p in files + system
            if not any(bad in p.name for bad in ("lyx", "cm", "msbm", "euf", "wasy", "eso", "stmary", "rsfs"))
        ]
        self.texts = {}

    def plate(self, rng, region):
        """A face that a plate of `region` may have."""
        names = {
            "us": (
                "saira-condensed",
                "saira-extra-condensed",
                "barlow-condensed",
                "big-shoulders-display",
                "norwester",
                "OSP-DIN",
                "share-tech-mono",
            ),
            "eu": (
                "OSP-DIN",
                "overpass-mono",
                "share-tech-mono",
                "barlow-condensed",
                "saira-condensed",
                "big-shoulders-display",
            ),
            "br": ("OSP-DIN", "overpass-mono", "share-tech-mono", "saira-condensed", "barlow-condensed"),
        }[region]
        names = [n for n in names if n in self.fonts]
        if not names or rng.random() < 0.6:
            return self.strokes[rng.integers(len(self.strokes))]
        faces = self.fonts[names[rng.integers(len(names))]]
        return faces[rng.integers(len(faces))]

    def small_text(self, rng, text, height):
        """Mask uint8 [height, w] of a line of small lettering (state name, slogan, dealer) in any font."""
        if self.lettering:
            path = self.lettering[rng.integers(len(self.lettering))]
            key = (path, text)
            if key not in self.texts:
                if len(self.texts) > 4000:
                    self.texts.clear()
                font = ImageFont.truetype(path, 40)
                x0, y0, x1, y1 = font.getbbox(text)
                image = Image.new("L", (max(4, x1 - x0 + 4), max(8, y1 - y0 + 4)))
                ImageDraw.Draw(image).text((2 - x0, 2 - y0), text, 255, font=font)
                self.texts[key] = np.asarray(image)
            mask = self.texts[key]
        else:
            face = self.strokes[rng.integers(len(self.strokes))]
            gap = np.zeros((face.HEIGHT, face.HEIGHT // 6), np.uint8)
            parts = [
                m for c in text.upper() for m in ((face.glyph(c), gap) if c.isalnum() and c.isascii() else (gap, gap))
            ]
            mask = np.hstack(parts) if parts else np.zeros((8, 8), np.uint8)
        height = max(3, int(height))
        return cv2.resize(
            mask, (max(2, int(mask.shape[1] * height / mask.shape[0])), height), interpolation=cv2.INTER_AREA
        )
