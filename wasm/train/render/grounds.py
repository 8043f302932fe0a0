"""Plates without their number: colours, state names, bands, pictures, by region."""
import functools
import json
import pathlib

import cv2
import numpy as np

import settings

from .ink import gradient, grey_contrast, stamp

EMBLEM_WIDTH, LEAST_ROOM = 0.16, 0.4  # fractions of the width: an emblem, and the space that a serial needs beside it
NAMES = {
    "CA": "California",
    "NY": "NEW YORK",
    "TX": "TEXAS",
    "FL": "FLORIDA",
    "IL": "Illinois",
    "PA": "PENNSYLVANIA",
    "OH": "OHIO",
    "GA": "GEORGIA",
    "NC": "NORTH CAROLINA",
    "MI": "MICHIGAN",
    "NJ": "New Jersey",
    "VA": "VIRGINIA",
    "WA": "WASHINGTON",
    "AZ": "ARIZONA",
    "MA": "Massachusetts",
    "TN": "TENNESSEE",
    "IN": "INDIANA",
    "MO": "MISSOURI",
    "MD": "Maryland",
    "WI": "WISCONSIN",
    "CO": "COLORADO",
    "MN": "Minnesota",
    "SC": "South Carolina",
    "AL": "Alabama",
    "LA": "Louisiana",
    "KY": "Kentucky",
    "OR": "Oregon",
    "OK": "OKLAHOMA",
    "CT": "Connecticut",
    "UT": "UTAH",
    "IA": "IOWA",
    "NV": "NEVADA",
    "AR": "Arkansas",
    "MS": "Mississippi",
    "KS": "KANSAS",
    "NM": "NEW MEXICO",
    "NE": "NEBRASKA",
    "WV": "West Virginia",
    "ID": "IDAHO",
    "HI": "HAWAII",
    "NH": "NEW HAMPSHIRE",
    "ME": "MAINE",
    "RI": "Rhode Island",
    "MT": "MONTANA",
    "DE": "DELAWARE",
    "SD": "South Dakota",
    "ND": "NORTH DAKOTA",
    "AK": "ALASKA",
    "DC": "WASHINGTON DC",
    "VT": "VERMONT",
    "WY": "WYOMING",
}
SLOGANS = [
    "dmv.ca.gov",
    "EMPIRE STATE",
    "The Lone Star State",
    "SUNSHINE STATE",
    "Land of Lincoln",
    "visitPA.com",
    "Birthplace of Aviation",
    "IN GOD WE TRUST",
    "First in Flight",
    "Great Lakes State",
    "Garden State",
    "EVERGREEN STATE",
    "GRAND CANYON STATE",
    "The Spirit of America",
    "Volunteer State",
    "SHOW-ME STATE",
    "America's Dairyland",
    "10,000 lakes",
    "Sweet Home",
    "Sportsman's Paradise",
    "BLUEGRASS STATE",
    "Constitution State",
    "LIFE ELEVATED",
    "The Natural State",
    "Wild, Wonderful",
    "FAMOUS POTATOES",
    "ALOHA STATE",
    "LIVE FREE OR DIE",
    "VACATIONLAND",
    "Ocean State",
    "BIG SKY COUNTRY",
    "THE FIRST STATE",
    "GREATEST SNOW ON EARTH",
    "THE LAST FRONTIER",
    "GREEN MOUNTAIN STATE",
    "VETERAN",
    "DISABLED",
    "APPORTIONED",
    "TRUCK",
    "COMMERCIAL",
    "Travel2SC.com",
    "www.maryland.gov",
    "HAMILTON",
    "FAYETTE",
    "SUPPORT EDUCATION",
]
# ground top, ground bottom, ink
US_COLOURS = {
    "CA": [((245, 246, 248), (240, 242, 246), (25, 40, 110))],
    "NY": [((245, 190, 60), (240, 180, 50), (20, 30, 80)), ((240, 240, 244), (235, 238, 244), (25, 35, 90))],
    "TX": [((245, 245, 245), (235, 238, 240), (20, 20, 25))],
    "FL": [((245, 248, 244), (225, 238, 220), (20, 90, 50))],
    "IL": [((235, 240, 248), (230, 235, 245), (150, 30, 40))],
    "PA": [((60, 90, 160), (245, 215, 80), (25, 35, 80))],
    "VT": [((20, 105, 65), (15, 95, 60), (245, 245, 240))],
    "DE": [((25, 45, 95), (20, 40, 90), (235, 200, 90))],
    "AK": [((245, 200, 60), (240, 190, 50), (25, 40, 110))],
    "NM": [((90, 200, 205), (80, 190, 200), (235, 205, 50))],
    "NJ": [((240, 225, 120), (245, 245, 235), (15, 15, 15))],
    "CO": [((235, 238, 232), (20, 90, 60), (245, 245, 245)), ((30, 95, 65), (30, 95, 65), (245, 245, 245))],
}
LIGHT = [
    ((245, 246, 248), (235, 238, 242)),
    ((120, 170, 225), (245, 245, 245)),
    ((245, 245, 245), (150, 190, 225)),
    ((245, 190, 120), (250, 235, 200)),
    ((215, 232, 215), (240, 244, 236)),
    ((250, 225, 120), (245, 215, 90)),
    ((230, 230, 230), (205, 210, 212)),
    ((235, 200, 205), (245, 240, 240)),
]
INKS = [(20, 20, 25), (25, 40, 110), (150, 25, 35), (15, 80, 50), (60, 60, 65), (90, 40, 30), (40, 90, 160)]
CITIES = [
    "SP-SAO PAULO",
    "RJ-RIO DE JANEIRO",
    "MG-BELO HORIZONTE",
    "PR-CURITIBA",
    "RS-PORTO ALEGRE",
    "BA-SALVADOR",
    "SC-JOINVILLE",
    "DF-BRASILIA",
    "PE-RECIFE",
    "ES-VITORIA",
    "GO-GOIANIA",
    "PR-MARINGA",
    "SP-CAMPINAS",
    "CE-FORTALEZA",
    "PR-CASCAVEL",
]


@functools.lru_cache(maxsize=3000)
def design(path):
    """A real design, RGB uint8 96x192: (original, with the middle band of the number blurred away);
    None when it is not a picture."""
    bgr = cv2.imread(path)
    if bgr is None:
        return None
    whole = cv2.resize(bgr[:, :, ::-1], (192, 96), interpolation=cv2.INTER_AREA)
    image = whole.copy()
    image[20:78] = cv2.medianBlur(np.ascontiguousarray(image[20:78]), 35)
    image[16:82] = cv2.GaussianBlur(image, (1, 9), 0)[16:82]
    return whole, image


@functools.lru_cache(maxsize=1)
def rooms():
    """{file name: (x0, x1)}: the serial's position on a design, in fractions of its width, from emblems.py;
    {} before it has run."""
    path = settings.cache() / "emblems.json"
    return json.loads(path.read_text()) if path.exists() else {}


def with_emblem(path):
    """A design that keeps the prints beside its serial -> (image, x0, x1 of the space for another serial),
    None without any."""
    x0, x1 = rooms().get(path.rsplit("/", 1)[-1], (0, 1))
    pictures = design(path)
    if pictures is None or x1 - x0 < LEAST_ROOM or not (x0 > EMBLEM_WIDTH or x1 < 1 - EMBLEM_WIDTH):
        return None
    whole, image = pictures[0], pictures[1].copy()
    left, right = int(x0 * 192), int(np.ceil(x1 * 192))
    image[:, :left], image[:, right:] = whole[:, :left], whole[:, right:]
    return image, max(x0, 0.055), min(x1, 0.945)


def design_files(folder):
    """{state: [paths]} of the folder us-plate-designs; {} without one."""
    out = {}
    if folder:
        for path in sorted(pathlib.Path(folder).glob("*.jpg")):
            out.setdefault(path.name[:2], []).append(str(path))
    return out


def blobs(rng, image, count, region, strength=1.0):
    """Random emblems (discs, stars, hills, vaguely birds) inside `region` (x0, y0, x1, y1)."""
    x0, y0, x1, y1 = region
    for _ in range(count):
        colour = tuple(float(v) for v in rng.integers(0, 256, 3))
        cx, cy = rng.uniform(x0, x1), rng.uniform(y0, y1)
        size = rng.uniform(0.2, 0.6) * min(x1 - x0, y1 - y0) + 1
        n = int(rng.integers(3, 12))
        angles = np.sort(rng.uniform(0, 2 * np.pi, n))
        radii = size * rng.uniform(0.4, 1.0, n)
        points = np.stack([cx + radii * np.cos(angles), cy + radii * np.sin(angles)], 1)
        mask = np.zeros(image.shape[:2], np.uint8)
        if rng.random() < 0.4:
            cv2.circle(mask, (int(cx), int(cy)), int(size * 0.7) + 1, 255, -1 if rng.random() < 0.6 else 2, cv2.LINE_AA)
        else:
            cv2.fillPoly(mask, [points.astype(np.int32)], 255, cv2.LINE_AA)
        stamp(image, mask, 0, 0, colour, strength * rng.uniform(0.4, 1.0))


def us(rng, faces, state, h, designs):
    """-> (image [h, 2h, 3], ink colour, box (x0, y0, x1, y1) of the number, in pixels)."""
    w = 2 * h
    files = designs.get(state) if designs else None
    image, x0, x1 = None, 0.055 * w, 0.945 * w
    if files and rng.random() < 0.6:
        path = files[rng.integers(len(files))]
        emblem = with_emblem(path) if rng.random() < 0.7 else None
        if emblem:
            image, x0, x1 = emblem[0], emblem[1] * w, emblem[2] * w
        else:
            image = (design(path) or (None, None))[1]
    if image is not None:
        image = (
            cv2.resize(image.astype(np.float32), (w, h), interpolation=cv2.INTER_LINEAR)
            if h != 96
            else image.astype(np.float32)
        )
        ground = image[int(0.4 * h) : int(0.65 * h), int(x0) : int(x1)].reshape(-1, 3).mean(0)
        inks = INKS + [(245, 245, 245), (240, 205, 90)]
        ink = inks[rng.integers(len(inks))]
        for _ in range(20):
            if grey_contrast(ink, ground) > 70:
                break
            ink = inks[rng.integers(len(inks))]
        else:
            ink = (15, 15, 20) if ground.mean() > 110 else (245, 245, 245)
        if not emblem and rng.random() < 0.25:
            x0 = rng.uniform(0.2, 0.33) * w
        return image, ink, (x0, 0.25 * h, x1, 0.78 * h)
    if rng.random() < 0.7 and state in US_COLOURS:
        colours = US_COLOURS[state]
        top, bottom, ink = colours[rng.integers(len(colours))]
    else:
        top, bottom = LIGHT[rng.integers(len(LIGHT))]
        ink = INKS[rng.integers(len(INKS))]
        if rng.random() < 0.15:
            top = bottom = INKS[rng.integers(len(INKS))]
            ink = (245, 245, 240) if rng.random() < 0.7 else (240, 205, 90)
    image = gradient(h, w, top, bottom)
    if rng.random() < 0.45:
        blobs(rng, image, int(rng.integers(1, 5)), (0, 0, w, h), rng.uniform(0.1, 0.6))
    if rng.random() < 0.2:
        x0 = rng.uniform(0.2, 0.33) * w
        blobs(rng, image, 2, (0.03 * w, 0.3 * h, x0 - 0.02 * w, 0.75 * h), 1.0)
    if rng.random() < 0.25:  # a coloured stripe along the top or bottom
        y = (0, int(0.2 * h)) if rng.random() < 0.5 else (int(0.82 * h), h)
        image[y[0] : y[1]] = INKS[rng.integers(len(INKS))] if rng.random() < 0.6 else rng.integers(0, 256, 3)
    lettering = INKS[rng.integers(len(INKS))] if rng.random() < 0.6 else ink
    if rng.random() < 0.92:
        name = faces.small_text(rng, NAMES[state], h * rng.uniform(0.11, 0.2))
        name = name[:, : int(0.8 * w)]
        stamp(image, name, (w - name.shape[1]) / 2, h * rng.uniform(0.02, 0.07), lettering)
    if rng.random() < 0.7:
        text = faces.small_text(rng, SLOGANS[rng.integers(len(SLOGANS))], h * rng.uniform(0.07, 0.12))
        text = text[:, : int(0.8 * w)]
        stamp(image, text, (w - text.shape[1]) / 2, h * rng.uniform(0.83, 0.87), lettering)
    if rng.random() < 0.4:
        cv2.rectangle(image, (1, 1), (w - 2, h - 2), tuple(float(v) for v in lettering), max(1, h // 48))
    return image, ink, (x0, 0.24 * h, x1, 0.79 * h)


def stickers(rng, faces, image):
    """Month and year tabs in the corners of a US plate."""
    h, w = image.shape[:2]
    for x, y in ((0.03, 0.03), (0.85, 0.03), (0.03, 0.8), (0.85, 0.8)):
        if rng.random() < 0.4:
            sw, sh = int(rng.uniform(0.1, 0.14) * w), int(rng.uniform(0.12, 0.19) * h)
            px, py = int((x + rng.normal(0, 0.01)) * w), int((y + rng.normal(0, 0.01)) * h)
            colour = tuple(float(v) for v in rng.integers(0, 256, 3)) if rng.random() < 0.7 else (250.0, 250.0, 250.0)
            cv2.rectangle(image, (px, py), (px + sw, py + sh), colour, -1)
            label = ["JAN", "MAY", "SEP", "DEC", "OCT", "NOV", "04", "08", "12", "16", "2014", "7", "11", "99"][
                rng.integers(14)
            ]
            ink = (0, 0, 0) if sum(colour) > 330 else (255, 255, 255)
            mask = faces.small_text(rng, label, sh * 0.6)
            stamp(image, mask[:, :sw], px + max(0, sw - mask.shape[1]) / 2, py + sh * 0.2, ink)


def screws(rng, image, spots):
    """Screw heads at `spots` (fractions of width and height)."""
    h, w = image.shape[:2]
    for x, y in spots:
        if rng.random() < 0.55:
            centre, r = (int(x * w), int(y * h)), max(1, int(h * rng.uniform(0.018, 0.04)))
            tone = float(rng.choice([30, 60, 120, 190, 230]))
            cv2.circle(image, centre, r, (tone, tone, tone), -1, cv2.LINE_AA)
            if r > 2:
                cv2.circle(image, centre, r, (tone * 0.5,) * 3, 1, cv2.LINE_AA)


BLUE = (15.0, 60.0, 160.0)


def eu(rng, faces, state, h):
    """-> (image, ink, number box). 520x110 mm plates, some shorter."""
    w = int(h * (rng.uniform(4.4, 4.8) if rng.random() < 0.85 else rng.uniform(3.4, 4.4)))
    tone = rng.uniform(225, 250)
    ground, ink = (tone, tone, tone * rng.uniform(0.95, 1.0)), (15, 15, 15)
    if state in ("NL", "L") or (state == "GB" and rng.random() < 0.5) or (state == "F" and rng.random() < 0.15):
        ground = (240, 190, 30) if rng.random() < 0.7 else (245, 210, 60)
    if state == "B":
        ink = (150, 25, 30)
    if state in ("P", "GR", "F", "TR", "IND", "E") and rng.random() < 0.05:
        ground, ink = (15, 15, 15), (235, 235, 235)
    image = gradient(h, w, ground, ground)
    x0, x1 = 0.015 * w, 0.985 * w
    band = rng.uniform(0.075, 0.1) * w
    if state not in ("CH", "RUS", "IND", "LI") and rng.random() < 0.88:
        cv2.rectangle(image, (0, 0), (int(band), h), BLUE, -1)
        x0 = band + 0.01 * w
        for k in range(12):
            a = 2 * np.pi * k / 12
            cv2.circle(
                image,
                (int(band / 2 + band * 0.28 * np.cos(a)), int(h * 0.3 + band * 0.28 * np.sin(a))),
                max(1, h // 50),
                (240.0, 220.0, 60.0),
                -1,
                cv2.LINE_AA,
            )
        mask = faces.small_text(rng, state, h * 0.24)
        if mask.shape[1] > band * 0.9:
            mask = cv2.resize(mask, (int(band * 0.9), mask.shape[0]))
        stamp(image, mask, (band - mask.shape[1]) / 2, h * 0.64, (250, 250, 250))
    if (state in ("F", "I", "P") and rng.random() < 0.85) or state == "RUS":
        if state == "RUS":
            cv2.line(image, (int(0.76 * w), 0), (int(0.76 * w), h), (15.0, 15.0, 15.0), max(1, h // 40))
        else:
            colour = BLUE if state != "P" else (235.0, 200.0, 50.0)
            cv2.rectangle(image, (int(w - band), 0), (w, h), colour, -1)
            label = (
                f"{rng.integers(1, 96):02d}" if state == "F" else ["RM", "MI", "TO", "12", "05", "GE"][rng.integers(6)]
            )
            mask = faces.small_text(rng, label, h * 0.22)
            stamp(image, mask[:, : int(band)], w - band + max(0, band - mask.shape[1]) / 2, h * 0.65, (250, 250, 250))
            if state == "F" and rng.random() < 0.7:
                cv2.circle(
                    image, (int(w - band / 2), int(h * 0.3)), int(band * 0.3), (230.0, 190.0, 120.0), -1, cv2.LINE_AA
                )
            x1 = w - band - 0.01 * w
    if rng.random() < 0.6:
        cv2.rectangle(image, (1, 1), (w - 2, h - 2), tuple(float(v) for v in ink), max(1, h // 40))
    if state == "GB" and rng.random() < 0.5:
        mask = faces.small_text(rng, "www.motors-direct.co.uk", h * 0.09)
        stamp(image, mask, (w - mask.shape[1]) / 2, h * 0.89, (30, 30, 30))
    return image, ink, (x0, 0.13 * h, x1, 0.87 * h)


def br(rng, faces, state, h):
    """-> (image, ink, number box). Brazil (grey, red, Mercosur) and Argentina."""
    w = int(h * (400 / 130 if state != "AR2" else 294 / 129) * rng.uniform(0.97, 1.03))
    if state in ("BR2", "AR"):
        image = gradient(h, w, (240, 242, 244), (236, 238, 240))
        cv2.rectangle(
            image, (0, 0), (w, int(0.22 * h)), (20.0, 60.0, 150.0) if state == "BR2" else (60.0, 110.0, 190.0), -1
        )
        mask = faces.small_text(rng, "BRASIL" if state == "BR2" else "REPUBLICA ARGENTINA", h * 0.13)
        stamp(image, mask[:, : int(w * 0.7)], (w - min(mask.shape[1], w * 0.7)) / 2, h * 0.05, (250, 250, 250))
        ink = [(15, 15, 15), (15, 15, 15), (150, 20, 30), (20, 40, 130)][rng.integers(4)]
        if rng.random() < 0.5:
            blobs(rng, image, 1, (0.02 * w, 0.3 * h, 0.09 * w, 0.9 * h), 0.8)
            return image, ink, (0.09 * w, 0.28 * h, 0.97 * w, 0.93 * h)
        return image, ink, (0.04 * w, 0.28 * h, 0.96 * w, 0.93 * h)
    if state == "AR2":
        image = gradient(h, w, (25, 25, 28), (20, 20, 22))
        cv2.rectangle(image, (3, 3), (w - 4, h - 4), (220.0, 220.0, 220.0), max(1, h // 40))
        mask = faces.small_text(rng, "ARGENTINA", h * 0.13)
        stamp(image, mask, (w - mask.shape[1]) / 2, h * 0.06, (225, 225, 225))
        return image, (235, 235, 235), (0.06 * w, 0.24 * h, 0.94 * w, 0.9 * h)
    tone = rng.uniform(150, 225)
    ground, ink = (tone, tone * 1.01, tone * 0.99), (20, 20, 25)
    roll = rng.random()
    if roll < 0.2:
        ground, ink = (150, 25, 30), (240, 240, 240)
    elif roll < 0.25:
        ground, ink = (240, 240, 240), (150, 25, 30)
    image = gradient(h, w, ground, ground)
    mask = faces.small_text(rng, CITIES[rng.integers(len(CITIES))], h * rng.uniform(0.1, 0.15))
    if rng.random() < 0.93:
        stamp(image, mask[:, : int(0.9 * w)], (w - min(mask.shape[1], 0.9 * w)) / 2, h * rng.uniform(0.08, 0.15), ink)
    if rng.random() < 0.5:
        cv2.rectangle(image, (2, 2), (w - 3, h - 3), tuple(float(v) for v in ink), max(1, h // 60))
    return image, ink, (0.045 * w, 0.29 * h, 0.955 * w, 0.9 * h)


def two_line(rng, faces, region, state, h):
    """Motorcycle and square plates -> (image, ink, box of the upper line, box of the lower line)."""
    w = int(h * {"us": rng.uniform(1.6, 2.0), "eu": rng.uniform(1.15, 1.75), "br": rng.uniform(1.15, 1.35)}[region])
    tone = rng.uniform(190, 250)
    ground, ink = (tone, tone, tone * rng.uniform(0.92, 1.0)), (15, 15, 15)
    if region == "us":
        ground, _ = LIGHT[rng.integers(len(LIGHT))]
        ink = INKS[rng.integers(len(INKS))]
    elif state in ("NL", "L", "GB") and rng.random() < 0.5:
        ground = (240, 190, 30)
    elif region == "br" and rng.random() < 0.25:
        ground, ink = (150, 25, 30), (240, 240, 240)
    image = gradient(h, w, ground, ground)
    top, bottom, left = rng.uniform(0.04, 0.08), rng.uniform(0.92, 0.96), 0.04
    if region == "us" or region == "br":
        label = NAMES[state] if region == "us" else "BRASIL" if state == "BR2" else CITIES[rng.integers(len(CITIES))]
        mask = faces.small_text(rng, label, h * rng.uniform(0.08, 0.14))[:, : int(0.9 * w)]
        stamp(image, mask, (w - mask.shape[1]) / 2, h * 0.02, ink)
        top = rng.uniform(0.14, 0.19)
    elif rng.random() < 0.4:
        band = rng.uniform(0.1, 0.16) * w
        cv2.rectangle(image, (0, 0), (int(band), int(h * rng.uniform(0.45, 0.55))), BLUE, -1)
        mask = faces.small_text(rng, state, h * 0.12)[:, : int(band)]
        stamp(image, mask, (band - mask.shape[1]) / 2, h * 0.36, (250, 250, 250))
        left = band / w + 0.02
    if rng.random() < 0.6:
        cv2.rectangle(image, (1, 1), (w - 2, h - 2), tuple(float(v) for v in ink), max(1, h // 50))
    middle = (top + bottom) / 2 + rng.uniform(-0.03, 0.03)
    gap = rng.uniform(0.01, 0.04)
    return (
        image,
        ink,
        (left * w, top * h, 0.96 * w, (middle - gap) * h),
        (0.04 * w, (middle + gap) * h, 0.96 * w, bottom * h),
    )
