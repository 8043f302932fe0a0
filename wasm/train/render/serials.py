"""Serial numbers by state and country.

Pattern language: `9` digit, `A` letter, `-` dash, ` ` gap, `*` emblem between groups (no character),
`.` a seal or screw between groups; any other capital is itself.
`{HC}` small stacked letters: drawn one above the other, not part of the text.
A pattern is followed by its weight.
"""
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
DIGITS = "0123456789"

US = {
    "CA": {"9AAA999": 16, "99999A9": 4, "9A99999": 3, "9AA9999": 1, "AAA999": 1},
    "NY": {"AAA-9999": 4, "AAA*9999": 4, "99999-AA": 1, "A99AAA": 1},
    "TX": {"AAA-9999": 4, "AAA*9999": 3, "AA9*A999": 3, "A99*AAA": 1, "999-AAA": 1, "9AA-A99": 1},
    "FL": {"A99*9AA": 3, "AAA*A99": 3, "999*AAA": 2, "A999*AA": 2, "99A*AAA": 1, "AA99*AA": 1},
    "IL": {"A99 9999": 3, "999 9999": 2, "AA 99999": 2, "A999 999": 1, "9999 999": 1},
    "PA": {"AAA-9999": 4, "AAA*9999": 4, "AA99999": 1},
    "OH": {"AAA 9999": 5, "AA99 AA": 1, "AAA*9999": 2},
    "GA": {"AAA 9999": 4, "AAA9999": 4, "999 AAA": 1},
    "NC": {"AAA-9999": 6, "AAA*9999": 1},
    "MI": {"AAA 9999": 4, "9AA A99": 2, "AAA999": 1},
    "NJ": {"A99-AAA": 4, "AAA-99A": 2, "AAA*99A": 2, "AA 999A": 1},
    "VA": {"AAA-9999": 5, "AA-9999": 1, "99-999A": 1},
    "WA": {"AAA9999": 4, "999-AAA": 3, "999 AAA": 2, "A99999A": 1},
    "AZ": {"AAA9999": 4, "999*AAA": 3, "A9A9AA9": 1, "AAA*999": 1},
    "MA": {"9AA A99": 2, "999 AA9": 2, "9999 AA": 2, "999 AAA": 1, "99A A99": 1},
    "TN": {"A99-99A": 3, "999-AAA": 2, "AAA-999": 1, "9A9*9A9": 1},
    "IN": {"999A": 1, "999AA": 2, "999AAA": 3, "99A9999": 1, "AA999": 1},
    "MO": {"AA9*A9A": 4, "999-AAA": 2, "9AA*99A": 1},
    "MD": {"9AA9999": 3, "AAA*999": 2, "AAA 999": 1, "9AA*A99": 1},
    "WI": {"999-AAA": 4, "AAA-9999": 3, "AAA 999": 1},
    "CO": {"999*AAA": 4, "AAA*A99": 2, "AAA-999": 2},
    "MN": {"999-AAA": 4, "AAA-999": 2, "AAA*999": 1},
    "SC": {"AAA 999": 3, "AAA*999": 3, "999 9AA": 1},
    "AL": {"99A999A": 3, "9A9999A": 2, "99AA999": 2, "9AA9999": 1},
    "LA": {"AAA 999": 3, "AAA*999": 3, "999 AAA": 2},
    "KY": {"999*AAA": 3, "AAA 999": 1, "A9A999": 1},
    "OR": {"999*AAA": 4, "AAA*999": 1, "999 AAA": 2},
    "OK": {"999*AAA": 2, "AAA-999": 3, "AAA 999": 1},
    "CT": {"999-AAA": 2, "999*AAA": 3, "9AA*AA9": 2, "AA-99999": 1},
    "UT": {"A99 9AA": 2, "999*AAA": 3, "A99*9AA": 2},
    "IA": {"999 AAA": 4, "AAA 999": 3},
    "NV": {"999*AAA": 3, "99A*999": 3, "999-AAA": 1},
    "AR": {"999 AAA": 4, "AAA 99A": 2, "999*AAA": 2},
    "MS": {"AAA 999": 4, "AAA*999": 2, "AA9 999": 1},
    "KS": {"999 AAA": 3, "AAA 999": 1, "9999 AAA": 1},
    "NM": {"AAA*999": 3, "999*AAA": 3},
    "NE": {"99-A999": 2, "AAA 999": 3, "9-A9999": 1, "99-99A": 1},
    "WV": {"9AA 999": 4, "AAA 999": 1, "9A 9999": 2},
    "ID": {"9A 99999": 2, "A 999999": 2, "{9A}A99999": 2, "A999999": 1, "9A A9999": 1},
    "HI": {"AAA 999": 5},
    "NH": {"999 9999": 4, "999 999": 2},
    "ME": {"9999 AA": 4, "999 AAA": 1},
    "RI": {"999-999": 3, "AA-999": 2, "AAA 99": 1},
    "MT": {"9-99999A": 2, "99-9999A": 2, "AAA999": 1, "999999A": 2},
    "DE": {"999999": 5, "99999": 1, "PC999999": 1},
    "SD": {"9A9 999": 2, "99A 999": 1, "9AA 999": 2},
    "ND": {"AAA 999": 4, "999 AAA": 2},
    "AK": {"AAA 999": 6, "AAA999": 3},
    "DC": {"AA 9999": 4, "AA*9999": 2},
    "VT": {"AAA 999": 5, "999A999": 1, "AAA999": 1},
    "WY": {"9 *99999": 2, "99*9999": 1, "9*999{AB}": 1, "99*99999": 1},
}
SHARE = {"CA": 9, "TX": 4, "FL": 3, "NY": 3, "GA": 2, "IL": 2, "PA": 2, "OH": 2, "MO": 2, "NC": 2, "NJ": 2}  # others 1
SPECIAL = {
    "A99999": 1,
    "9A9999": 1,
    "{DV}99999": 3,
    "{DP}A999": 1,
    "99999{HC}": 2,
    "9999{LE}": 2,
    "AA9999{CA}": 1,
    "AAA999{SP}": 1,
    "999{PT}AA": 0.5,
    "AA 99A": 1,
    "A999A": 1,
    "99999": 1,
    "999999": 1,
    "9999": 0.7,
    "A9999A": 1,
    "AAA9A": 1,
    "9A99A9": 1,
}

EU = {
    "D": {
        "A.A 999": 2,
        "A.AA 9999": 4,
        "AA.AA 999": 6,
        "AA.A 9999": 3,
        "AAA.AA 99": 4,
        "AAA.A 999": 3,
        "AA.AA 9999": 4,
        "AAA.AA 999": 3,
        "AA.AA 99": 2,
        "A.AA 999": 3,
    },
    "F": {"AA-999-AA": 14, "999 AAA 99": 1, "9999 AA 99": 2},
    "I": {"AA 999AA": 7, "AA*999AA": 2},
    "E": {"9999 AAA": 7, "A 9999 AA": 1},
    "NL": {
        "99-AA-AA": 3,
        "99-AAA-9": 3,
        "9-AAA-99": 2,
        "AA-999-A": 2,
        "AA-99-99": 1,
        "99-99-AA": 1,
        "A-999-AA": 1,
        "AA-AA-99": 1,
    },
    "B": {"9-AAA-999": 5, "AAA-999": 3, "999-AAA": 1},
    "GB": {"AA99 AAA": 8, "A999 AAA": 2, "A99 AAA": 1, "AAA 999A": 1},
    "A": {"A*9999A": 1, "AA*999AA": 3, "A*99999A": 2, "AA*99AAA": 1, "A*AAAA9": 0.5},
    "CH": {"AA.999999": 3, "AA.99999": 2, "AA.9999": 1},
    "PL": {"AA 99999": 3, "AAA 9999A": 1, "AA 9999A": 2, "AAA 99AA": 2, "AAA AA99": 1, "AA 999AA": 1},
    "CZ": {"9A9 9999": 4, "9AA 9999": 2},
    "SK": {"AA*999AA": 5},
    "H": {"AAA-999": 5, "AA AA-999": 1},
    "RO": {"AA 99 AAA": 6, "B 99 AAA": 2, "B 999 AAA": 4},
    "BG": {"A 9999 AA": 2, "AA 9999 AA": 3},
    "GR": {"AAA-9999": 5},
    "P": {"99-99-AA": 2, "99-AA-99": 3, "AA-99-99": 1, "AA-99-AA": 1},
    "S": {"AAA 999": 4, "AAA 99A": 1},
    "N": {"AA 99999": 5},
    "DK": {"AA 99 999": 5},
    "FIN": {"AAA-999": 5},
    "HR": {"AA*999-AA": 2, "AA*9999-AA": 3, "AA*999-A": 1},
    "SLO": {"AA*AA-999": 3, "AA*A9-99A": 2},
    "LT": {"AAA 999": 4, "AAA*999": 2},
    "LV": {"AA-9999": 4},
    "EST": {"999 AAA": 4},
    "L": {"AA 9999": 4},
    "IRL": {"99-A-9999": 2, "99-A-99999": 2, "999-A-9999": 2, "99-AA-999": 1},
    "UA": {"AA 9999 AA": 3},
    "RUS": {"A 999 AA 99": 2, "A 999 AA 999": 1},
    "TR": {"99 AAA 99": 2, "99 AA 999": 2, "99 A 9999": 2},
    "IND": {"AA 99 AA 9999": 2, "AA 99 A 9999": 2},
    "LI": {"AA 99999": 1},
}
EU_SHARE = {"D": 6, "F": 7, "I": 3, "E": 2, "NL": 3, "GB": 4, "PL": 2, "RO": 3, "A": 2, "CZ": 2}

BR = {
    "BR": {"AAA-9999": 7, "AAA 9999": 2},
    "BR2": {"AAA9A99": 4},  # Mercosur
    "AR": {"AA 999 AA": 3},  # Mercosur, Argentina
    "AR2": {"AAA 999": 3},  # before 2016
}
BR_SHARE = {"BR": 8, "BR2": 3, "AR": 2, "AR2": 1}

REGIONS = {"us": (US, SHARE), "eu": (EU, EU_SHARE), "br": (BR, BR_SHARE)}
VOWELS, CONSONANTS = "AEIOUY", "BCDFGHJKLMNPRSTVWXZ"


def pick(rng, weights):
    """A key of {key: weight}."""
    keys = list(weights)
    p = [weights[k] for k in keys]
    total = sum(p)
    return keys[rng.choice(len(keys), p=[x / total for x in p])]


def any_letter(rng):
    return LETTERS[rng.integers(26)]


def vanity(rng):
    """A made-up vanity text of 2 to 8 characters, half word-like, sometimes with letters replaced by digits."""
    n = int(rng.choice([2, 3, 4, 5, 6, 7, 8], p=[0.02, 0.06, 0.12, 0.18, 0.3, 0.26, 0.06]))
    if rng.random() < 0.6:
        out, vowel = "", rng.random() < 0.4
        while len(out) < n:
            pool = VOWELS if vowel else CONSONANTS
            out += pool[rng.integers(len(pool))]
            if not vowel and rng.random() < 0.2:
                continue
            vowel = not vowel
        out = "".join(rng.choice(list(DIGITS)) if rng.random() < 0.12 else c for c in out)
        if rng.random() < 0.3 and n > 3:
            at = int(rng.integers(1, n))
            out = out[:at] + " " + out[at:]
        return out
    return "".join(any_letter(rng) if rng.random() < 0.6 else DIGITS[rng.integers(10)] for _ in range(n))


def fill(rng, pattern):
    """Pattern -> layout: list of ("char", c), ("gap",), ("dash",), ("dot",), ("emblem",), ("stack", "HC")."""
    out, i = [], 0
    while i < len(pattern):
        c = pattern[i]
        if c == "9":
            out.append(("char", DIGITS[rng.integers(10)]))
        elif c == "A":
            out.append(("char", any_letter(rng)))
        elif c == "{":
            end = pattern.index("}", i)
            inner = pattern[i + 1 : end]
            small = "".join(DIGITS[rng.integers(10)] if k == "9" else any_letter(rng) for k in inner)
            out.append(("stack", small))
            i = end
        elif c in "-. *":
            out.append(({"-": "dash", ".": "dot", " ": "gap", "*": "emblem"}[c],))
        else:
            out.append(("char", c))
        i += 1
    return out


def serial(rng, region, state=None):
    """-> (state, layout). One plate in eight of the US is a vanity plate, one in twelve a special one."""
    table, share = REGIONS[region]
    if state is None:
        state = pick(rng, {k: share.get(k, 1) for k in table})
    roll = rng.random()
    if region == "us" and roll < 0.13:
        return state, [("char", c) if c != " " else ("gap",) for c in vanity(rng)]
    if region == "us" and roll < 0.22:
        return state, fill(rng, pick(rng, SPECIAL))
    if region == "us" and roll < 0.32:  # formats of other years: any state's pattern
        return state, fill(rng, pick(rng, table[list(table)[rng.integers(len(table))]]))
    return state, fill(rng, pick(rng, table[state]))
