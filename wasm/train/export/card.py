"""Write the model card from the model file's metadata and the measured figures.

    python3 -m export.card MODEL figures.json --out ../models/README.md
"""
import argparse
import hashlib
import json
import os

from export import psm

ROWS = [
    ("us", "**US scenes, all**"),
    ("openalpr-e2e-us", "openalpr-e2e-us"),
    ("us-51-closeups", "us-51-closeups"),
    ("mcm-us16", "mcm-us16"),
    ("openalpr-e2e-eu", "**EU** openalpr-e2e-eu"),
    ("french-lpd", "**France** french-lpd"),
    ("openalpr-e2e-br", "**Brazil** openalpr-e2e-br"),
    ("openimages-lp", "openimages-lp"),
    ("openalpr-seg-us", "US plate crops openalpr-seg-us"),
    ("openalpr-td-br", "Brazilian crops openalpr-td-br"),
    ("argentina-bench", "Argentine crops, partly night"),
]

TEXT = """# Model card: platestream.psm

Written by `wasm/train/export/card.py`; do not edit. Retrain with `wasm/train/run`, see \
[wasm/train](../train/README.md).

Model id `{id}`, {size:,} bytes, trained {trained}. Format and cascade: \
[docs/model-format.md](../../docs/model-format.md).
Four convolutional nets, int8 weights (one step per output channel), int16 activations, exact integer sums.

| net | input | multiply-adds | parameters | samples seen | seed |
|---|---|---|---|---|---|
{nets}

## Figures

Measured end to end (whole photo in, texts out) on the `val` part of the photos, never trained or tuned on, with the \
bit-exact
simulation of the integer nets. Right = the best text of any returned plate equals the label, all characters. Small \
counts:
one photo is 2 to 8 points. *Folded*: O = 0 and I = 1 count as equal.

| set | plates | as published | corrected labels | folded | in the top 5 | plate found |
|---|---|---|---|---|---|---|
{figures}

The runtime's own arithmetic (`npm run bench -- accuracy`, recognizer.wasm, which also has clips, states, calibration \
and plate widths) agrees within
one or two photos a set; where sampling rounds differently, a character at the edge of its decision can flip. `val` \
was evaluated for each delivered model, so these figures
are slightly optimistic; nothing was chosen by it. [status](../../docs/status.md) has the runtime's figures.

Pictures without a plate (openalpr-neg): something is read in {wrong} of {empty}{share}.

## Constants

{constants}

Confidence is fitted to "the text is right" on held-out rows of the train part.

## Data

* Rendered: 72,000 plates (US 60 %, EU 25 %, Brazil and Argentina 15 %; 8 % with two lines) by `wasm/train/render`, \
seen by random cameras.
* Real photos of the train part: US, EU, French, Romanian, Brazilian, Argentine, Indian and world scenes and crops. \
Labels that
  come from another reader only are used from a confidence of 0.97. Corners and character positions of real plates \
come from an earlier model. Half of the
  real plates are used with exchanged characters.
* No photo is part of this repository. The weights were trained from nothing; they contain no other reader's weights.

## Known weaknesses

{weak}
"""

WEAK = """* Graphics and lettering beside the serial are sometimes read as characters (72LY as X72LY).
* US states are named from the whole plate: reliably on close plates, rarely on plates under 100 pixels wide; the \
result may be unknown.
* A mirrored or upside-down plate gives a text of 0.5 or more in one case of the test (three mirror-symmetric \
letters); a plate cut by the frame's edge in none of 54.
* Plates at very steep angles sometimes get wrong corners, and then no text: training corners of real ones come from \
an earlier model, checked by eye on the steepest only.
* Two-line plates are read when they are located well: about four fifths of the real crops, fewer in scenes.
* Small stacked letters are omitted on purpose, as in most labels; a list that has them does not match exactly.
* O and 0, I and 1, and also D, Q, 8 and B are confused where the shape of the serial does not decide (vanity plates).
* Plates under about 60 pixels wide are read badly; the coarse look was trained on plates from 9 of about 320 pixels, \
1/35 of the frame's width.
* Night, infra-red, rain and motion blur were rendered, not photographed: there were no real pictures to measure them \
on.
* Letters on signs, time stamps and bumper stickers can be read as a plate: see the figure for pictures without a plate.
* Latin letters and digits only."""


def line(name, r):
    share = lambda k: f"{r[k]} ({100 * r[k] / max(1, r['n']):.1f} %)"
    found = f"{r['found']} of {r['boxes']}" if r["boxes"] else "no box given"
    return (
        f"| {name} | {r['n']} | {share('published')} | {share('corrected')} | {share('folded')} "
        f"| {share('top5')} | {found} |"
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("figures")
    parser.add_argument("--out", required=True)
    args = parser.parse_args()
    meta, nets = psm.read(args.model)
    with open(args.figures, encoding="utf-8") as f:
        report = json.load(f)
    with open(args.model, "rb") as f:
        identifier = hashlib.sha256(f.read()).hexdigest()[:16]
    names = {1: "coarse", 2: "fine", 3: "reader", 4: "issuer"}
    rows = []
    for kind, name in names.items():
        graph, card = nets[kind].graph, meta["card"][name]
        area = f"about {graph.input_w}x{graph.input_h} in all" if kind == 1 else f"{graph.input_w}x{graph.input_h}"
        rows.append(
            f"| {name} | {area} | {graph.macs() / 1e6:.0f} M "
            f"| {card['parameters']:,} | {card.get('samples', 0):,} | {card.get('seed', '-')} |"
        )
    negative = report["openalpr-neg"]
    wrong, empty = negative["pictures with a false read"], negative["n"]
    text = TEXT.format(
        id=identifier,
        size=os.path.getsize(args.model),
        trained=meta["trainedAt"][:10],
        nets="\n".join(rows),
        figures="\n".join(line(title, report[k]) for k, title in ROWS if k in report and report[k]["n"]),
        wrong=wrong,
        empty=empty,
        share=f" ({100 * wrong / max(1, empty):.0f} %)",
        constants="\n".join(f"* `{k}` {json.dumps(v)}" for k, v in meta["cascade"].items()),
        weak=WEAK,
    )
    with open(args.out, "w", encoding="utf-8") as f:
        f.write(text)


if __name__ == "__main__":
    main()
