"""Training curves as one PNG: python3 -m train.curves --out curves.png [--coarse coarse coarse2]"""
import argparse
import json

import settings


def load(*runs):
    """Lines of a run's curve; runs that continue each other are concatenated."""
    lines, before = [], 0
    for run in runs:
        path = settings.cache("runs", run) / "curve.jsonl"
        own = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
        lines += [{**line, "samples": line["samples"] + before} for line in own]
        before = lines[-1]["samples"] if lines else 0
    return lines


def share(line, part):
    """Percentage of `part` of a report, [right, of]."""
    return 100 * line["tune"][part][0] / max(1, line["tune"][part][1])


def reader_loss(axis, lines):
    axis.set_title("reader: loss")
    axis.plot([l["samples"] / 1e3 for l in lines], [l["ctc"] for l in lines], label="CTC per character")
    axis.plot([l["samples"] / 1e3 for l in lines], [l["ce"] for l in lines], label="per-column cross-entropy")
    axis.set_ylim(0, 1.5)
    axis.legend(fontsize=6)


def reader_exact(axis, lines):
    axis.set_title("reader: exact, held-out train crops, greedy")
    x = [l["samples"] / 1e3 for l in lines]
    for name in sorted({k for l in lines for k in l["tune"]}):
        if lines[-1]["tune"][name][1] >= 5:
            axis.plot(x, [share(l, name) for l in lines], label=f"{name} (n={lines[-1]['tune'][name][1]})", lw=1)
    axis.plot(x, [100 * l["ring"][0] / l["ring"][1] for l in lines], "k--", lw=1, label="training samples")
    axis.legend(fontsize=6)


def issuer(axis, lines):
    axis.set_title("issuer: right, held-out train plates, %")
    for part, label in (("us", "states of the US"), ("others", "countries")):
        axis.plot(
            [l["samples"] / 1e3 for l in lines],
            [100 * l["tune"][part]["all"][0] / max(1, l["tune"][part]["all"][1]) for l in lines],
            label=label,
        )
    axis.legend(fontsize=6)


def finder(title, value):
    """A panel of one of the finder's nets: `value` of a report, and the losses."""

    def draw(axis, lines):
        axis.set_title(title)
        x = [l["samples"] / 1e3 for l in lines]
        axis.plot(x, [100 * value(l["tune"]) for l in lines])
        twin = axis.twinx()
        twin.plot(x, [l["heat"] for l in lines], "C1", lw=1)
        twin.plot(x, [l["reg"] for l in lines], "C2", lw=1)
        twin.set_ylabel("loss: heat (orange), regression (green)")
        twin.set_ylim(0, 3)

    return draw


def main():
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", required=True)
    for net in ("coarse", "fine", "reader", "issuer"):
        parser.add_argument(f"--{net}", nargs="+", default=[net], help="runs that went on from one another")
    args = parser.parse_args()
    panels = [
        (reader_loss, load(*args.reader)),
        (reader_exact, load(*args.reader)),
        (issuer, load(*args.issuer)),
        (
            finder(
                "coarse: readable plates among the best 3, %", lambda tune: tune["found"] / max(1, tune["readable"])
            ),
            load(*args.coarse),
        ),
        (finder("fine: mean IoU with the box, %", lambda tune: tune["iou"]), load(*args.fine)),
    ]
    panels = [panel for panel in panels if panel[1]]  # a net that was copied has no curve
    figure, axes = plt.subplots(1, len(panels), figsize=(4.5 * len(panels), 4), squeeze=False)
    for axis, (draw, lines) in zip(axes[0], panels):
        draw(axis, lines)
        axis.set_xlabel("thousand samples")
        axis.grid(alpha=0.3)
    figure.tight_layout()
    figure.savefig(args.out, dpi=70)


if __name__ == "__main__":
    main()
