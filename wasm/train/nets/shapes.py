"""The four nets of the cascade (docs/model-format.md has their inputs and outputs)."""
from data.regions import REGIONS

from .graph import ADD_UP2, Graph

CLASSES = 37  # the CTC blank, 0-9, A-Z
READER_H, READER_W = 48, 160
ISSUER_H, ISSUER_W = 64, 128
COLUMN_STRIDE = 4  # input pixels per output column of the reader


def reader() -> Graph:
    """Rectified plate 48x160 -> 40 columns x 37 classes. The width is reduced by 4 only,
    because seven or eight characters plus the blanks between them must fit the columns."""
    g = Graph(3, READER_H, READER_W)
    t = g.conv(0, 16, stride=(2, 2))  # 24x80
    t = g.conv(t, 32, stride=(2, 1))  # 12x80
    t = g.conv(t, 32, add=t)
    t = g.conv(t, 64, stride=(2, 2))  # 6x40
    for _ in range(2):
        u = g.conv(t, 64)
        t = g.conv(u, 64, add=t)
    t = g.conv(t, 112, stride=(2, 1))  # 3x40
    for _ in range(2):
        t = g.conv(t, 112, add=t)
    t = g.mean_h(t)  # 1x40
    g.conv(t, CLASSES, kernel=1, relu=False, raw=True)
    return g


def _finder(kind, h, w, outputs, c4=32, c8=48, c16=64, head=48) -> Graph:
    """Strides 2 to 32 and back to 8. The way back (merge) is needed to find large plates."""
    g = Graph(kind, h, w)
    t = g.conv(0, 16, stride=(2, 2))
    t = g.conv(t, c4, stride=(2, 2))
    t = g.conv(t, c8, stride=(2, 2))
    s8 = g.conv(t, c8, add=t)
    t = g.conv(s8, c16, stride=(2, 2))
    u = g.conv(t, c16)
    s16 = g.conv(u, c16, add=t)
    t = g.conv(s16, c16, stride=(2, 2))
    s32 = g.conv(t, c16, add=t)
    t = g.conv(s16, c16, kernel=1, add=s32, add_mode=ADD_UP2)
    m16 = g.conv(t, head)
    m8 = g.conv(s8, head, kernel=1, add=m16, add_mode=ADD_UP2)
    t = g.conv(m8, head, add=m8)
    g.conv(t, outputs, kernel=1, relu=False, raw=True)
    return g


def coarse() -> Graph:
    """Whole frame at about 320x192 pixels -> stride-8 map [heat, dx, dy, lw, lh].
    Half the width of the fine net: it only proposes, and it is the only net that runs on every frame."""
    return _finder(1, 192, 320, 5, c4=16, c8=32, c16=48, head=32)


def fine() -> Graph:
    """Window 192x96 about a candidate -> stride-8 map [heat, 4 x (x, y)]."""
    return _finder(2, 96, 192, 9)


def issuer() -> Graph:
    """Whole plate 64x128 -> 16 columns x the regions of regions.py, whose mean over the columns gives the region
    of issue. Small: it runs once per plate read, and its features (lettering, pictures, colours as grey) are large
    or in fixed places."""
    g = Graph(4, ISSUER_H, ISSUER_W)
    t = g.conv(0, 16, stride=(2, 2))  # 32x64
    t = g.conv(t, 32, stride=(2, 2))  # 16x32
    t = g.conv(t, 32, add=t)
    t = g.conv(t, 64, stride=(2, 2))  # 8x16
    t = g.conv(t, 64, add=t)
    t = g.conv(t, 96, stride=(2, 1))  # 4x16
    t = g.conv(t, 96, add=t)
    t = g.mean_h(t)  # 1x16
    g.conv(t, len(REGIONS), kernel=1, relu=False, raw=True)
    return g
