"""Shares of the shapes of serials: "7ABC123" has the shape 9AAA999.
Made from the renderer's tables and the train labels.

The model file has the table ("syntax": {shape: natural logarithm of its share}), and one for each region that the
reader names ("syntaxByRegion": {region: {shape: share}}). The cascade mixes them by how probable each region is and
multiplies the beam's probabilities by share ** syntaxWeight, which decides between 0 and O, 1 and I, 8 and B where the
net cannot. In a serial (a text with a digit in it) rare letters count too: most states do not use I, O and Q
("letters": {region: {letter: frequency, 1 is the average}}).
"""
import math
from collections import Counter

from data import photos
from data.regions import REGIONS, of_photo, of_rendered
from render.serials import BR, BR_SHARE, EU, EU_SHARE, SHARE, SPECIAL, US

REGION_SHARE = {"us": 0.6, "eu": 0.25, "br": 0.15}
UNSEEN = 1e-5  # share of each shape that is in no table (vanity plates, other countries)
LABEL_SHARE = 0.3  # weight of the train labels relative to the tables


def shape(text):
    """Digits to 9, letters to A."""
    return "".join("9" if c.isdigit() else "A" for c in text)


def plain(pattern):
    """Pattern of serials.py -> shape of the text (without stacked letters)."""
    out, inside = "", False
    for c in pattern:
        inside = (inside or c == "{") and c != "}"
        if not inside and c.isalnum():
            out += "9" if c == "9" else "A"
    return out


def shares():
    """{shape: share}, summing to at most 1."""
    out = Counter()
    for part, table, share in (("us", US, SHARE), ("eu", EU, EU_SHARE), ("br", BR, BR_SHARE)):
        total = sum(share.get(k, 1) for k in table)
        for state, patterns in table.items():
            inner = sum(patterns.values())
            for pattern, weight in patterns.items():
                out[plain(pattern)] += (
                    REGION_SHARE[part] * (0.93 if part == "us" else 1) * share.get(state, 1) / total * weight / inner
                )
    inner = sum(SPECIAL.values())
    for pattern, weight in SPECIAL.items():
        out[plain(pattern)] += REGION_SHARE["us"] * 0.07 * weight / inner
    for n, share in enumerate((0.02, 0.06, 0.12, 0.18, 0.3, 0.26, 0.06), 2):  # vanity plates: letters only
        out["A" * n] += REGION_SHARE["us"] * 0.05 * share
    seen = Counter()
    for row in photos.training_rows():
        for plate in row["plates"]:
            if plate.get("text"):
                seen[shape(plate["text"])] += 1
    count = sum(seen.values())
    if count:
        for k in out:
            out[k] *= 1 - LABEL_SHARE
        for k, v in seen.items():
            out[k] += LABEL_SHARE * v / count
    return out


def table():
    """{shape: log share, rounded} of every shape above the unseen share; "" stands for all others."""
    out = {k: round(math.log(v), 2) for k, v in sorted(shares().items(), key=lambda i: -i[1]) if v > UNSEEN}
    out[""] = round(math.log(UNSEEN), 2)
    return out


def by_region():
    """{region: {shape: share}}: the shapes of a region's plates, special and vanity plates of the US included."""
    out = {}
    for part, table in (("us", US), ("eu", EU), ("br", BR)):
        for state, patterns in table.items():
            shapes = out.setdefault(REGIONS[of_rendered(part, state)], Counter())
            usual = 0.78 if part == "us" else 0.97
            inner = sum(patterns.values())
            for pattern, weight in patterns.items():
                shapes[plain(pattern)] += usual * weight / inner
            if part == "us":
                special = sum(SPECIAL.values())
                for pattern, weight in SPECIAL.items():
                    shapes[plain(pattern)] += 0.12 * weight / special
    for shapes in out.values():
        total = sum(shapes.values())
        for k in shapes:
            shapes[k] = round(shapes[k] / max(1.0, total), 4)
    return {region: {k: v for k, v in sorted(shapes.items()) if v >= 0.002} for region, shapes in sorted(out.items())}


LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
ENOUGH_LETTERS = 150  # with fewer labelled letters, a region has the frequencies of its part of the world
LEAST_RATIO = 0.1  # no letter is excluded
RARE = 0.6  # more frequent letters count as average


def letters():
    """{region: {rare letter: frequency in serials, 1 = 1/26}} of the train labels,
    each count increased by half a letter."""
    seen = {}
    for row in photos.training_rows():
        for plate in row["plates"]:
            text = photos.label(plate)
            if text and any(c.isdigit() for c in text):
                part = {"us": "us", "br": "br"}.get(row.get("region"), "eu")
                named = of_photo(row)
                for key in (part, REGIONS[named]) if named >= 0 else (part,):
                    seen.setdefault(key, Counter()).update(c for c in text if c in LETTERS)
    out = {}
    for region in REGIONS:
        own = seen.get(region, Counter())
        part = "us" if region.startswith("US-") else "br" if region in ("BR", "AR") else "eu"
        counts = own if sum(own.values()) >= ENOUGH_LETTERS else seen.get(part, Counter())
        total = sum(counts.values()) + 13
        ratios = {c: round(max(LEAST_RATIO, 26 * (counts[c] + 0.5) / total), 2) for c in LETTERS}
        out[region] = {c: ratio for c, ratio in ratios.items() if ratio < RARE} if total > 13 else {}
    return out


def mix_letters(regions):
    """{letter: ratio} of one plate: the tables of the probable regions [(probability, {letter: ratio})], weighed."""
    return {c: sum(p * table.get(c, 1.0) for p, table in regions) + 1 - sum(p for p, _ in regions) for c in LETTERS}


def mix(logs, regions, share):
    """Table of one plate: `share` from the probable regions ({region: {shape: share}}, weighed),
    the rest from all plates."""
    out = dict(logs)
    sums = Counter()
    for probability, shapes in regions:
        for k, v in shapes.items():
            sums[k] += probability * v
    for k, v in sums.items():
        out[k] = math.log((1 - share) * math.exp(logs.get(k, logs[""])) + share * v)
    return out


def letter_factor(text, ratios, weight):
    """Product of the ratios of a serial's letters, to the power `weight`; 1 for a text without a digit."""
    if not ratios or not weight or not any(c.isdigit() for c in text):
        return 1.0
    return math.prod(ratios.get(c, 1.0) ** weight for c in text)


def rescore(texts, logs, weight, ratios=None, letter_weight=0.0):
    """[(text, probability)] -> the same weighed by shares; keeps the sum of the probabilities."""
    if not logs or not weight or not texts:
        return texts
    scaled = [
        (
            t,
            p
            * math.exp(weight * (logs.get(shape(t), logs[""]) if t else logs[""]))
            * letter_factor(t, ratios, letter_weight),
        )
        for t, p in texts
    ]
    total, before = sum(p for _, p in scaled), sum(p for _, p in texts)
    if total <= 0:
        return texts
    return sorted(((t, p * before / total) for t, p in scaled), key=lambda i: -i[1])


if __name__ == "__main__":
    for k, v in table().items():
        print(f"{k or 'any other':12} {v}")
