"""Regions of issue: the classes of the issuer net, as ISO 3166 codes (US states as "US-CA")."""
from render.serials import EU, US

ISO = {
    "D": "DE",
    "F": "FR",
    "I": "IT",
    "E": "ES",
    "NL": "NL",
    "B": "BE",
    "GB": "GB",
    "A": "AT",
    "CH": "CH",
    "PL": "PL",
    "CZ": "CZ",
    "SK": "SK",
    "H": "HU",
    "RO": "RO",
    "BG": "BG",
    "GR": "GR",
    "P": "PT",
    "S": "SE",
    "N": "NO",
    "DK": "DK",
    "FIN": "FI",
    "HR": "HR",
    "SLO": "SI",
    "LT": "LT",
    "LV": "LV",
    "EST": "EE",
    "L": "LU",
    "IRL": "IE",
    "UA": "UA",
    "RUS": "RU",
    "TR": "TR",
    "IND": "IN",
    "LI": "LI",
}
REGIONS = tuple(f"US-{state}" for state in US) + tuple(ISO[country] for country in EU) + ("BR", "AR")
UNKNOWN = -1


def number(code):
    """Class of an ISO code, UNKNOWN for any other."""
    return REGIONS.index(code) if code in REGIONS else UNKNOWN


def of_rendered(region, state):
    """Class of a rendered plate: `region` and `state` as of render.Plate."""
    if region == "us":
        return number(f"US-{state}")
    return number(ISO[state] if region == "eu" else state[:2])


def of_photo(row):
    """Class of a photo's plates, UNKNOWN where the index has none."""
    state = row.get("state_or_country")
    if not state:
        return UNKNOWN
    if row.get("region") == "us":
        return number(f"US-{state}")
    return number(ISO.get(state, state))
