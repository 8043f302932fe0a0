"""The surface of a car's body: lamps, glass, grille, gaps, trim, drawn once per car and looked up by position.

Four drawings per car: rear and front over (x, z), side over (y, z), top over (x, y). Layers of a drawing, float32:

    0-2  own colour, linear 0..1       3  share of the car's paint 0..1
    4    reflectance straight on       5  glow of lamps in the dark (times own colour)
    6    darkness of a gap or recess   7  glass 0..1
"""
import cv2
import numpy as np

SCALE = 256  # pixels a metre
MARGIN = 0.15  # metres round the body

PLASTIC, GLASS, CHROME = (0.025, 0.025, 0.027), (0.018, 0.021, 0.024), (0.55, 0.55, 0.56)
RED, CLEAR, AMBER = (0.42, 0.012, 0.012), (0.62, 0.63, 0.65), (0.75, 0.28, 0.02)


class Sheet:
    """One drawing; coordinates are (a, z) metres, z up."""

    def __init__(self, a0, a1, z0, z1):
        self.a0, self.z1 = a0, z1
        self.w, self.h = int((a1 - a0) * SCALE) + 1, int((z1 - z0) * SCALE) + 1
        self.layers = np.zeros((self.h, self.w, 8), np.float32)
        self.layers[..., 3] = 1
        self.layers[..., 4] = 0.05

    def pixels(self, points):
        p = np.float64(points)
        return np.stack([(p[..., 0] - self.a0) * SCALE, (self.z1 - p[..., 1]) * SCALE], -1)

    def mask(self, points, soft=0.0):
        """Antialiased polygon, corners rounded by about `soft` metres, 0..1."""
        m = np.zeros((self.h, self.w), np.uint8)
        cv2.fillPoly(m, [np.round(self.pixels(points) * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
        if soft > 0:
            m = cv2.GaussianBlur(m, (0, 0), soft * SCALE * 0.6)
            m = np.clip((m.astype(np.float32) - 127) * 4 + 127, 0, 255)
        return np.float32(m) / 255

    def line(self, points, width, closed=False):
        m = np.zeros((self.h, self.w), np.uint8)
        cv2.polylines(
            m,
            [np.round(self.pixels(points) * 16).astype(np.int32)],
            closed,
            255,
            max(1, int(round(width * SCALE))),
            cv2.LINE_AA,
            4,
        )
        return np.float32(m) / 255

    def disc(self, a, z, ra, rz):
        t = np.linspace(0, 2 * np.pi, 40)
        return self.mask(np.stack([a + ra * np.cos(t), z + rz * np.sin(t)], -1))

    def put(self, m, colour, paint=0.0, gloss=0.03, glow=0.0, glass=0.0):
        """Cover with a material through mask m."""
        rows, columns = np.flatnonzero(m.max(1)), np.flatnonzero(m.max(0))
        if len(rows) == 0:
            return
        new = np.float32([*colour, paint, gloss, glow, 0.0, glass])
        box = (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
        self.layers[box] += (new - self.layers[box]) * m[box][..., None]

    def dark(self, m, strength=0.8):
        self.layers[..., 6] = np.maximum(self.layers[..., 6], m * strength)

    def pyramid(self):
        """The drawing and its halvings."""
        out = [self.layers]
        while min(out[-1].shape[:2]) > 24:
            a = out[-1]
            out.append(
                np.ascontiguousarray(
                    np.stack(
                        [
                            cv2.resize(a[..., k], (a.shape[1] // 2, a.shape[0] // 2), interpolation=cv2.INTER_AREA)
                            for k in range(8)
                        ],
                        -1,
                    )
                )
            )
        return out


def mirrored(points):
    """The polygon and its mirror image at a = 0."""
    return [points, [(-a, z) for a, z in points]]


def roof_half(shape, z):
    return shape.width / 2 - shape.lean * max(0, z - shape.belt) - 0.03


def cabin(sheet, rng, shape, z0, z1, people, seen_through):
    """Glass over the whole width of the cabin between heights z0 and z1, with what can be seen through it."""
    a0, a1 = roof_half(shape, z0) - 0.11, roof_half(shape, z1) - 0.13
    glass = sheet.mask([(-a0, z0), (a0, z0), (a1, z1), (-a1, z1)], 0.05)
    frame = sheet.mask(
        [(-a0 - 0.035, z0 - 0.035), (a0 + 0.035, z0 - 0.035), (a1 + 0.035, z1 + 0.03), (-a1 - 0.035, z1 + 0.03)], 0.06
    )
    sheet.put(frame, PLASTIC, gloss=0.04)
    sheet.put(glass, GLASS, gloss=0.06, glass=1.0)
    mid = z0 + 0.62 * (z1 - z0)
    through = (
        sheet.mask(
            [(-a0 * 0.82, z0 + 0.03), (a0 * 0.82, z0 + 0.03), (a1 * 0.86, mid + 0.1), (-a1 * 0.86, mid + 0.1)], 0.06
        )
        * glass
    )
    sheet.put(through * 0.7, seen_through, gloss=0.06, glass=1.0)
    for a in (-0.37, 0.37):  # head rests and seats
        seat = np.maximum(
            sheet.mask([(a - 0.24, z0), (a + 0.24, z0), (a + 0.2, mid - 0.08), (a - 0.2, mid - 0.08)], 0.05),
            sheet.mask(
                [(a - 0.12, mid - 0.1), (a + 0.12, mid - 0.1), (a + 0.11, mid + 0.06), (a - 0.11, mid + 0.06)], 0.05
            ),
        )
        sheet.put(seat * glass, (0.012, 0.012, 0.013), gloss=0.06, glass=1.0)
    for a in people:
        skin = rng.uniform(0.03, 0.09)
        body = sheet.mask([(a - 0.23, z0), (a + 0.23, z0), (a + 0.17, mid - 0.12), (a - 0.17, mid - 0.12)], 0.06)
        sheet.put(body * glass, tuple(rng.uniform(0.01, 0.05, 3)), gloss=0.06, glass=1.0)
        sheet.put(
            sheet.disc(a, mid - 0.02, 0.085, 0.115) * glass, (skin, skin * 0.7, skin * 0.55), gloss=0.06, glass=1.0
        )
        sheet.put(sheet.disc(a, mid + 0.05, 0.09, 0.07) * glass, (0.02, 0.015, 0.012), gloss=0.06, glass=1.0)
    return glass


def rear(rng, shape, plate_size, letters):
    """The back. `plate_size` (w, h) metres of the plate, which sets the recess; `letters` a painter of badges."""
    s = Sheet(-shape.width / 2 - MARGIN, shape.width / 2 + MARGIN, 0, shape.height + MARGIN)
    half, zp = shape.width / 2, shape.rear_plate
    bumper = {"pickup": 0.76}.get(shape.name, 0.64 if shape.belt < 1 else 0.70)
    lid = half - (0.30 if shape.name in ("sedan", "pickup") else 0.22)
    # lower valance, bumper seam, lid seam
    s.put(
        s.mask(
            [
                (-half, 0),
                (half, 0),
                (half, shape.clearance + 0.16),
                (half - 0.25, shape.clearance + 0.22),
                (-half + 0.25, shape.clearance + 0.22),
                (-half, shape.clearance + 0.16),
            ],
            0.04,
        ),
        PLASTIC,
        gloss=0.02,
    )
    s.dark(s.line([(-half, bumper), (half, bumper)], 0.008))
    if shape.name == "pickup":
        chrome = rng.random() < 0.6
        s.put(
            s.mask(
                [
                    (-half, shape.clearance + 0.1),
                    (half, shape.clearance + 0.1),
                    (half, bumper - 0.015),
                    (-half, bumper - 0.015),
                ]
            ),
            CHROME if chrome else PLASTIC,
            gloss=0.5 if chrome else 0.03,
        )
        s.put(
            s.mask(
                [
                    (-0.36, shape.clearance + 0.2),
                    (0.36, shape.clearance + 0.2),
                    (0.36, bumper - 0.02),
                    (-0.36, bumper - 0.02),
                ],
                0.02,
            ),
            PLASTIC,
        )
        s.dark(
            s.line(
                [
                    (-lid, bumper + 0.03),
                    (-lid, shape.top[1][1] - 0.02),
                    (lid, shape.top[1][1] - 0.02),
                    (lid, bumper + 0.03),
                ],
                0.01,
            ),
            0.9,
        )
        s.dark(s.mask([(-0.16, 1.16), (0.16, 1.16), (0.16, 1.08), (-0.16, 1.08)], 0.02), 0.7)
    else:
        top = shape.belt + 0.06 if shape.name == "sedan" else shape.height
        s.dark(s.line([(-lid, top), (-lid, shape.lamp_z[0] - 0.02), (-lid + 0.08, bumper + 0.01)], 0.008))
        s.dark(s.line([(lid, top), (lid, shape.lamp_z[0] - 0.02), (lid - 0.08, bumper + 0.01)], 0.008))
        if shape.name == "sedan":
            s.dark(s.line([(-half + 0.1, top - 0.02), (half - 0.1, top - 0.02)], 0.008))
    z0, z1 = shape.rear_glass
    cabin(s, rng, shape, z0, z1, [], (0.05, 0.055, 0.06) if rng.random() < 0.6 else (0.02, 0.02, 0.022))
    if rng.random() < 0.6 and shape.name in ("suv", "hatch", "van"):
        s.put(s.line([(0, z0 - 0.01), (0.34, z0 + 0.05)], 0.018), (0.01, 0.01, 0.01))
    s.put(
        s.mask([(-0.16, z1 + 0.05), (0.16, z1 + 0.05), (0.15, z1 + 0.028), (-0.15, z1 + 0.028)]),
        RED,
        gloss=0.05,
        glow=0.1,
    )
    # lamps
    lz0, lz1 = shape.lamp_z
    style = int(rng.integers(5))
    if shape.name in ("pickup", "van"):
        style = 4
    inner = {0: 0.33, 1: 0.42, 2: 0.36, 3: 0.45, 4: 0.14}[style] * (half / 0.92)
    polygons = {
        0: [(half + 0.05, lz1), (half - inner, lz1 - 0.03), (half - inner + 0.05, lz0 + 0.05), (half + 0.05, lz0)],
        1: [
            (half + 0.05, lz1 - 0.02),
            (half - inner, lz1 - 0.06),
            (half - inner, lz0 + 0.08),
            (half + 0.05, lz0 + 0.05),
        ],
        2: [
            (half + 0.05, lz1 + 0.02),
            (half - 0.2, lz1),
            (half - inner, lz0 + 0.1),
            (half - 0.16, lz0 + 0.02),
            (half + 0.05, lz0 - 0.04),
        ],
        3: [
            (half + 0.05, lz1 - 0.04),
            (half - inner, lz1 - 0.04),
            (half - inner, lz1 - 0.1),
            (half + 0.05, lz1 - 0.13),
        ],
        4: [
            (half + 0.05, lz1 + 0.02),
            (half - inner, lz1),
            (half - inner - 0.02, lz0 + 0.02),
            (half + 0.05, lz0 - 0.02),
        ],
    }
    for side, polygon in enumerate(mirrored(polygons[style])):
        m = s.mask(polygon, 0.018)
        s.put(m, RED, gloss=0.06, glow=0.10)
        sign = 1 if side == 0 else -1
        inside = cv2.erode(m, np.ones((9, 9), np.uint8))
        s.put(np.clip(m - inside, 0, 1) * 0.7, (0.12, 0.004, 0.004), gloss=0.06)
        mid = (lz0 + lz1) / 2
        cells = {
            0: [(half - 0.13, mid + 0.02, 0.07, 0.05, 1)],
            1: [(half - 0.1, mid, 0.06, 0.045, 1), (half - 0.28, mid, 0.06, 0.045, 1)],
            2: [(half - 0.12, mid + 0.03, 0.06, 0.06, 1)],
            3: [],
            4: [(half - 0.06, lz1 - 0.08, 0.05, 0.06, 1), (half - 0.06, lz0 + 0.1, 0.05, 0.06, 1)],
        }[style]
        for a, z, ra, rz, on in cells:
            s.put(s.disc(sign * a, z, ra, rz) * inside, (0.75, 0.05, 0.04), gloss=0.06, glow=1.0)
        if style == 3:
            s.put(inside, (0.8, 0.04, 0.03), gloss=0.06, glow=0.8)
        back = {
            0: (half - inner + 0.09, mid - 0.03),
            1: (half - inner + 0.06, mid),
            2: (half - 0.16, lz0 + 0.06),
            3: (half - inner + 0.05, lz1 - 0.07),
            4: (half - 0.06, (lz0 + lz1) / 2),
        }[style]
        s.put(s.disc(sign * back[0], back[1], 0.045, 0.03) * inside, CLEAR, gloss=0.08)
        s.put(s.disc(sign * (half - 0.16), bumper - 0.14, 0.05, 0.022), RED, gloss=0.06, glow=0.05)
    if style == 3 or (shape.name in ("suv", "sedan") and rng.random() < 0.25):
        s.put(
            s.mask(
                [
                    (-half + 0.2, (lz0 + lz1) / 2 + 0.03),
                    (half - 0.2, (lz0 + lz1) / 2 + 0.03),
                    (half - 0.2, (lz0 + lz1) / 2 + 0.0),
                    (-half + 0.2, (lz0 + lz1) / 2),
                ]
            ),
            RED,
            gloss=0.06,
            glow=0.35,
        )
    # recess of the plate and its garnish
    w, h = plate_size
    rw, rh = w / 2 + 0.06, h / 2 + 0.045
    recess = s.mask([(-rw - 0.03, zp - rh), (rw + 0.03, zp - rh), (rw, zp + rh), (-rw, zp + rh)], 0.03)
    if shape.name != "pickup":
        s.dark(recess, 0.45)
        s.dark(np.clip(recess - np.roll(recess, 5, 0), 0, 1), 0.8)
        if rng.random() < 0.5:
            s.put(
                s.mask(
                    [
                        (-rw - 0.02, zp + rh),
                        (rw + 0.02, zp + rh),
                        (rw + 0.01, zp + rh + 0.035),
                        (-rw - 0.01, zp + rh + 0.035),
                    ],
                    0.01,
                ),
                CHROME,
                gloss=0.5,
            )
    emblem_z = min(zp + rh + 0.10, z0 - 0.07) if shape.name != "pickup" else 1.0
    s.put(s.disc(0, emblem_z, 0.055, 0.042), CHROME, gloss=0.5)
    s.put(s.disc(0, emblem_z, 0.04, 0.028), (0.03, 0.03, 0.04), gloss=0.2)
    letters(
        s,
        (
            -lid + 0.12 if shape.name != "pickup" else -0.62,
            lz0 + 0.02 if style == 3 else max(bumper + 0.05, lz0 - 0.07),
        ),
        0.035,
    )
    letters(
        s,
        (lid - 0.30 if shape.name != "pickup" else 0.4, lz0 + 0.02 if style == 3 else max(bumper + 0.05, lz0 - 0.07)),
        0.035,
    )
    for a in [-0.55, 0.55] if rng.random() < 0.4 else [0.55]:
        s.put(s.disc(a, shape.clearance + 0.06, 0.045, 0.03), CHROME, gloss=0.4)
        s.put(s.disc(a, shape.clearance + 0.06, 0.035, 0.021), (0.003, 0.003, 0.003), gloss=0.0)
    return s


def front(rng, shape, plate_size):
    """The front: grille, head lamps, windscreen with a driver."""
    s = Sheet(-shape.width / 2 - MARGIN, shape.width / 2 + MARGIN, 0, shape.height + MARGIN)
    half, zp = shape.width / 2, shape.front_plate
    hz0, hz1 = shape.head_z
    cl = shape.clearance
    s.put(
        s.mask(
            [
                (-half, 0),
                (half, 0),
                (half, cl + 0.05),
                (half - 0.3, cl + 0.09),
                (-half + 0.3, cl + 0.09),
                (-half, cl + 0.05),
            ],
            0.03,
        ),
        PLASTIC,
        gloss=0.02,
    )
    # lower intake
    lw = rng.uniform(0.42, 0.62)
    s.put(
        s.mask([(-lw - 0.1, cl + 0.08), (lw + 0.1, cl + 0.08), (lw, zp - 0.03), (-lw, zp - 0.03)], 0.035),
        (0.008, 0.008, 0.009),
        gloss=0.01,
    )
    for z in np.arange(cl + 0.11, zp - 0.04, 0.035):
        s.put(
            s.mask([(-lw - 0.05, z), (lw + 0.05, z), (lw + 0.05, z + 0.008), (-lw - 0.05, z + 0.008)]),
            PLASTIC,
            gloss=0.02,
        )
    # upper grille
    style = int(rng.integers(4))
    gw, gz0, gz1 = (rng.uniform(0.34, 0.48), hz0 - 0.06, hz1 - 0.01) if shape.name != "pickup" else (0.56, 0.80, 1.10)
    grille = s.mask([(-gw + 0.06, gz0), (gw - 0.06, gz0), (gw, gz1), (-gw, gz1)], 0.03)
    chrome = style != 2 and rng.random() < 0.5
    s.put(cv2.dilate(grille, np.ones((7, 7), np.uint8)), CHROME if chrome else PLASTIC, gloss=0.4 if chrome else 0.05)
    s.put(grille, (0.006, 0.006, 0.007), gloss=0.01)
    bars = np.zeros_like(grille)
    if style in (0, 2):
        for z in np.arange(gz0 + 0.02, gz1, 0.042):
            bars = np.maximum(bars, s.line([(-gw, z), (gw, z)], 0.012))
    elif style == 1:
        for a in np.arange(-gw, gw, 0.03):
            bars = np.maximum(bars, s.line([(a, gz0), (a, gz1)], 0.010))
    else:
        for k in np.arange(-2, 2, 0.055):
            bars = np.maximum(
                bars, np.maximum(s.line([(k - 0.3, gz0), (k, gz1)], 0.008), s.line([(k + 0.3, gz0), (k, gz1)], 0.008))
            )
    s.put(bars * grille, (0.05, 0.05, 0.052), gloss=0.12)  # black chrome: a grille stays dark
    s.put(s.disc(0, (gz0 + gz1) / 2, 0.055, 0.042), CHROME, gloss=0.55)
    s.put(s.disc(0, (gz0 + gz1) / 2, 0.042, 0.030), (0.02, 0.025, 0.05), gloss=0.2)
    # head lamps
    inner = rng.uniform(0.34, 0.46)
    for side, polygon in enumerate(
        mirrored(
            [
                (half + 0.06, hz1 + 0.05),
                (half - 0.2, hz1 + 0.03),
                (half - inner, hz1 - 0.04),
                (half - inner + 0.03, hz0 + 0.01),
                (half - 0.15, hz0),
                (half + 0.06, hz0 + 0.06),
            ]
        )
    ):
        sign = 1 if side == 0 else -1
        m = s.mask(polygon, 0.02)
        s.put(cv2.dilate(m, np.ones((5, 5), np.uint8)), (0.01, 0.01, 0.01), gloss=0.03)
        s.put(m, (0.16, 0.165, 0.17), gloss=0.10, glow=0.04)
        mid = (hz0 + hz1) / 2 + 0.01
        for a, r in ((half - 0.17, 0.052), (half - 0.30, 0.045)):
            s.put(s.disc(sign * a, mid, r + 0.012, r + 0.012) * m, (0.03, 0.03, 0.032), gloss=0.2)
            s.put(s.disc(sign * a, mid, r, r) * m, CLEAR, gloss=0.25, glow=1.0 if a < half - 0.2 else 0.55)
        s.put(
            s.line([(sign * (half - inner + 0.05), hz1 - 0.055), (sign * (half - 0.02), hz1 + 0.025)], 0.016) * m,
            (0.85, 0.85, 0.85),
            gloss=0.1,
            glow=0.35,
        )
        s.put(s.disc(sign * (half - 0.06), mid, 0.03, 0.035) * m, AMBER, gloss=0.1, glow=0.08)
        # fog lamp pocket
        pocket = s.mask(
            [
                (sign * (half - 0.12), zp - 0.08),
                (sign * (half - 0.34), zp - 0.1),
                (sign * (half - 0.32), zp + 0.0),
                (sign * (half - 0.16), zp + 0.03),
            ],
            0.02,
        )
        s.put(pocket, (0.01, 0.01, 0.011), gloss=0.02)
        if rng.random() < 0.7:
            s.put(s.disc(sign * (half - 0.25), zp - 0.04, 0.035, 0.035), (0.3, 0.3, 0.31), gloss=0.2)
    s.dark(
        s.line([(-half + 0.06, hz1 + 0.07), (-gw, hz1 + 0.015), (gw, hz1 + 0.015), (half - 0.06, hz1 + 0.07)], 0.008)
    )
    s.dark(s.line([(-half, (hz0 + zp) / 2 + 0.02), (half, (hz0 + zp) / 2 + 0.02)], 0.006), 0.35)
    w, h = plate_size
    s.put(
        s.mask(
            [
                (-w / 2 - 0.015, zp - h / 2 - 0.015),
                (w / 2 + 0.015, zp - h / 2 - 0.015),
                (w / 2 + 0.015, zp + h / 2 + 0.015),
                (-w / 2 - 0.015, zp + h / 2 + 0.015),
            ],
            0.01,
        ),
        PLASTIC,
    )
    z0, z1 = shape.front_glass
    people = [0.37] + ([-0.37] if rng.random() < 0.3 else [])
    glass = cabin(s, rng, shape, z0, z1, people, (0.03, 0.033, 0.036))
    wheel = np.clip(s.disc(0.37, z0 + 0.02, 0.19, 0.12) - s.disc(0.37, z0 + 0.02, 0.165, 0.10), 0, 1) * glass
    s.put(wheel, (0.006, 0.006, 0.006), gloss=0.06, glass=1.0)
    s.put(
        s.mask([(-0.11, z1 - 0.06), (0.11, z1 - 0.06), (0.11, z1 - 0.10), (-0.11, z1 - 0.10)], 0.01),
        (0.004, 0.004, 0.004),
        gloss=0.06,
    )
    for a in (-0.55, 0.1):
        s.put(s.line([(a, z0 - 0.015), (a + 0.5, z0 + 0.012)], 0.014), (0.006, 0.006, 0.006), gloss=0.02)
    return s


def side(rng, shape):
    """Either side over (y, z)."""
    s = Sheet(-shape.length / 2 - MARGIN, shape.length / 2 + MARGIN, 0, shape.height + MARGIN)
    cl, belt = shape.clearance, shape.belt
    s.put(s.mask([(-3, 0), (3, 0), (3, cl + 0.07), (-3, cl + 0.07)]), PLASTIC, gloss=0.02)
    for y in shape.axles:
        t = np.linspace(0, 2 * np.pi, 60)
        ring = s.line(
            np.stack([y + (shape.wheel + 0.07) * np.cos(t), shape.wheel + (shape.wheel + 0.07) * np.sin(t)], -1),
            0.03,
            True,
        )
        s.put(
            s.disc(y, shape.wheel, shape.wheel + 0.06, shape.wheel + 0.06), (0.004, 0.004, 0.004), gloss=0.0
        )  # the dark of the wheel arch
        s.put(
            ring,
            PLASTIC if shape.name in ("suv", "pickup") else (0, 0, 0),
            paint=0 if shape.name in ("suv", "pickup") else 1.0,
            gloss=0.04,
        )
    tops = np.array(shape.top)
    roof = lambda y: float(np.interp(y, tops[:, 0], tops[:, 1]))
    rear_y = {"sedan": -1.15, "hatch": -1.75, "suv": -1.95, "pickup": -0.85, "van": -2.2}[shape.name]
    front_y = {"sedan": 1.0, "hatch": 1.05, "suv": 1.05, "pickup": 1.1, "van": 1.45}[shape.name]
    b = belt + 0.03
    upper = [(y, max(b + 0.02, roof(y) - 0.11)) for y in np.linspace(rear_y, front_y, 24)]
    glass = s.mask([(front_y, b), (rear_y, b + 0.02)] + upper, 0.03)
    s.put(cv2.dilate(glass, np.ones((7, 7), np.uint8)), PLASTIC, gloss=0.05)
    s.put(glass, (0.02, 0.022, 0.025), gloss=0.06, glass=1.0)
    pillars = {
        "pickup": (0.12,),
        "sedan": (0.0, -0.95),
        "hatch": (0.05, -0.95),
        "suv": (0.08, -1.0),
        "van": (0.3, -0.85),
    }[shape.name]
    for y in pillars:
        s.put(s.mask([(y - 0.035, b), (y + 0.035, b), (y + 0.035, 2.5), (y - 0.035, 2.5)]) * glass, PLASTIC, gloss=0.04)
    for y in (*pillars, front_y + 0.02):
        s.dark(s.line([(y, b), (y, cl + 0.12)], 0.008))
        s.put(
            s.mask(
                [(y + 0.08, belt - 0.12), (y + 0.24, belt - 0.12), (y + 0.24, belt - 0.085), (y + 0.08, belt - 0.085)],
                0.01,
            )
            * (y < front_y),
            (0, 0, 0),
            paint=1.0,
            gloss=0.1,
        )
    s.dark(s.line([(front_y + 0.02, cl + 0.12), (pillars[-1], cl + 0.12)], 0.008))
    hz = shape.head_z
    s.put(
        s.mask(
            [
                (shape.length / 2 + 0.1, hz[0] + 0.04),
                (shape.length / 2 - 0.42, hz[1] + 0.05),
                (shape.length / 2 + 0.1, hz[1] + 0.05),
            ],
            0.02,
        ),
        (0.2, 0.2, 0.21),
        gloss=0.1,
        glow=0.1,
    )
    s.put(
        s.mask(
            [
                (-shape.length / 2 - 0.1, shape.lamp_z[0]),
                (-shape.length / 2 + 0.22, shape.lamp_z[0] + 0.06),
                (-shape.length / 2 + 0.24, shape.lamp_z[1] - 0.02),
                (-shape.length / 2 - 0.1, shape.lamp_z[1]),
            ],
            0.02,
        ),
        RED,
        gloss=0.06,
        glow=0.1,
    )
    return s


def top(rng, shape):
    """Bonnet, roof and lid over (x, y)."""
    s = Sheet(
        -shape.width / 2 - MARGIN, shape.width / 2 + MARGIN, -shape.length / 2 - MARGIN, shape.length / 2 + MARGIN
    )
    half = shape.width / 2
    cowl = shape.top[-3][0]
    s.dark(
        s.line(
            [
                (-half + 0.16, cowl + 0.05),
                (-half + 0.2, shape.length / 2 - 0.3),
                (half - 0.2, shape.length / 2 - 0.3),
                (half - 0.16, cowl + 0.05),
            ],
            0.008,
            True,
        )
    )
    for a in (-0.34, 0.34):
        s.dark(s.line([(a, cowl + 0.1), (a * 1.15, shape.length / 2 - 0.35)], 0.01), 0.15)
    if shape.name == "pickup":
        s.put(
            s.mask([(-half + 0.1, -2.75), (half - 0.1, -2.75), (half - 0.1, -1.05), (-half + 0.1, -1.05)], 0.03),
            PLASTIC,
            gloss=0.02,
        )
    elif rng.random() < 0.35:
        s.put(s.mask([(-0.38, -0.35), (0.38, -0.35), (0.38, 0.3), (-0.38, 0.3)], 0.05), GLASS, gloss=0.06, glass=1.0)
    return s
