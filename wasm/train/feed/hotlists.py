"""Demo hot lists over the passing plates, with decoys that never pass and are not similar to any that does."""
import csv
import string

LISTS = {
    "stolen-vehicles": ("hot", "high", ["Stolen vehicle", "Stolen plate", "Felony vehicle"]),
    "be-on-lookout": ("hot", "medium", ["Missing person at risk", "Wanted person", "Protective order"]),
    "special-interest": (
        "special",
        "informational",
        ["Event parking permit check", "Community request", "Abandoned vehicle follow-up"],
    ),
}
LOOKALIKE = {
    "8": "B",
    "B": "8",
    "0": "O",
    "O": "0",
    "D": "0",
    "1": "I",
    "I": "1",
    "5": "S",
    "S": "5",
    "2": "Z",
    "Z": "2",
    "Q": "0",
    "G": "6",
    "6": "G",
}
MARGIN = 4  # characters by which a decoy differs from every passing plate
DECOYS = 180  # per list


def distance(a, b):
    """Edit distance."""
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        last, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            last, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, last + (x != y))
    return row[-1]


def fold(plate):
    """Look-alikes as one character: distances assume the worst misread."""
    return plate.translate(str.maketrans("OQDIZSBG", "00012586"))


def misread(plate):
    """The plate with its first confusable character exchanged, or None."""
    for k, c in enumerate(plate):
        if c in LOOKALIKE:
            return plate[:k] + LOOKALIKE[c] + plate[k + 1 :]
    return None


def decoy(rng, passing):
    while True:
        letters = lambda n: "".join(string.ascii_uppercase[k] for k in rng.integers(0, 26, n))
        digits = lambda n: "".join(str(k) for k in rng.integers(0, 10, n))
        plate = [
            lambda: digits(1) + letters(3) + digits(3),
            lambda: letters(3) + digits(4),
            lambda: digits(5) + letters(1) + digits(1),
        ][rng.choice(3, p=[0.7, 0.2, 0.1])]()
        if all(distance(fold(plate), fold(p)) >= MARGIN for p in passing):
            return plate


def make(rng, passes):
    """-> ({list: [(plate, reason, region)]}, [expected hits])."""
    passing = [p["plate"] for p in passes if p["plate"]]
    candidates = [p for p in passes if p["plate"] and p["region"] == "us" and len(p["plate"]) >= 6]
    by_camera = {}
    for p in candidates:
        by_camera.setdefault(p["camera"], []).append(p)
    order = [q[k] for k in range(max(map(len, by_camera.values()))) for q in by_camera.values() if k < len(q)]
    plan = [
        ("stolen-vehicles", False),
        ("be-on-lookout", False),
        ("special-interest", False),
        ("stolen-vehicles", True),
        ("stolen-vehicles", False),
        ("be-on-lookout", True),
        ("special-interest", False),
        ("be-on-lookout", False),
    ]
    lists, hits, used = {name: [] for name in LISTS}, [], set()
    for name, tolerant in plan:
        for p in order:
            if p["plate"] in used or (tolerant and not misread(p["plate"])):
                continue
            listed = misread(p["plate"]) if tolerant else p["plate"]
            used.add(p["plate"])
            lists[name].append((listed, LISTS[name][2][len(hits) % 3], p["state"]))
            hits.append(
                {
                    "camera": p["camera"],
                    "plate": p["plate"],
                    "list": name,
                    "listed": listed,
                    "match": "tolerant" if tolerant else "exact",
                }
            )
            break
    for name in LISTS:
        for _ in range(DECOYS):
            lists[name].append((decoy(rng, passing), LISTS[name][2][rng.integers(3)], "CA"))
        lists[name] = [lists[name][k] for k in rng.permutation(len(lists[name]))]
    return lists, hits


def write(folder, lists):
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in lists.items():
        with open(folder / f"{name}.csv", "w", newline="", encoding="utf-8") as f:
            writer = csv.writer(f, lineterminator="\n")
            writer.writerow(("plate", "reason", "region"))
            writer.writerows(rows)
