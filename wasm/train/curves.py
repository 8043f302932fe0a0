"""Training curves as one PNG: python3 curves.py --out curves.png"""
import argparse
import json

import settings


def load(run):
    path = settings.cache("runs", run) / "curve.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def main():
    import matplotlib
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", required=True)
    parser.add_argument("--reader", default="reader")
    args = parser.parse_args()
    finders = [(kind, title, load(kind)) for kind, title in (("coarse", "coarse: found among the best 3, %"), ("fine", "fine: mean IoU with the box, %"))]
    finders = [panel for panel in finders if panel[2]]               # a net that was taken over as it was has no curve
    figure, axes = plt.subplots(1, 3 + len(finders), figsize=(4.5 * (3 + len(finders)), 4))
    reader, issuer = load(args.reader), load("issuer")
    x = [l["samples"] / 1e3 for l in reader]
    axes[0].set_title("reader: loss")
    axes[0].plot(x, [l["ctc"] for l in reader], label="CTC per character")
    axes[0].plot(x, [l["ce"] for l in reader], label="per-column cross-entropy")
    axes[0].set_ylim(0, 1.5)
    axes[1].set_title("reader: exact, held-out train crops, greedy")
    for name in sorted({k for l in reader for k in l["tune"]}):
        if reader[-1]["tune"][name][1] >= 5:
            axes[1].plot(x, [100 * l["tune"][name][0] / max(1, l["tune"][name][1]) for l in reader], label=f"{name} (n={reader[-1]['tune'][name][1]})", lw=1)
    axes[1].plot(x, [100 * l["ring"][0] / l["ring"][1] for l in reader], "k--", lw=1, label="training samples")
    axes[2].set_title("issuer: right, held-out train plates, %")
    for part, label in (("us", "states of the US"), ("others", "countries")):
        axes[2].plot([l["samples"] / 1e3 for l in issuer], [100 * l["tune"][part]["all"][0] / max(1, l["tune"][part]["all"][1]) for l in issuer], label=label)
    for axis, (kind, title, lines) in zip(axes[3:], finders):
        axis.set_title(title)
        axis.plot([l["samples"] / 1e3 for l in lines],
                  [100 * (l["tune"]["hit"] / max(1, l["tune"]["of"]) if kind == "coarse" else l["tune"]["iou"]) for l in lines])
        twin = axis.twinx()
        twin.plot([l["samples"] / 1e3 for l in lines], [l["heat"] for l in lines], "C1", lw=1)
        twin.plot([l["samples"] / 1e3 for l in lines], [l["reg"] for l in lines], "C2", lw=1)
        twin.set_ylabel("loss: heat (orange), regression (green)")
        twin.set_ylim(0, 3)
    for axis in axes:
        axis.set_xlabel("thousand samples")
        axis.grid(alpha=0.3)
    for axis in axes[:3]:
        axis.legend(fontsize=6)
    figure.tight_layout()
    figure.savefig(args.out, dpi=70)


if __name__ == "__main__":
    main()
