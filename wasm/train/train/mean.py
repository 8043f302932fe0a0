"""The mean of several runs' averaged weights, as a run of its own.

    python3 -m train.mean NET OUT RUN RUN ...        e.g. mean.py reader reader-mean shipped reader

`shipped` is the net in the model file. Runs must continue one another, otherwise their mean is meaningless.
Samples seen are summed.
"""
import argparse
import pathlib
import sys

import torch

from export import psm
import settings
from export import shipped


def load(run, net):
    """(averaged weights, samples they come from, checkpoint or None) of a run."""
    if run == "shipped":
        meta, _ = psm.read(shipped.FILE.parent / "platestream.psm")
        return shipped.load(net), meta["card"][net]["samples"], None
    state = torch.load(pathlib.Path(settings.cache("runs", run)) / "checkpoint.pt")
    return state["average"], state["samples"], state


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("net", choices=("coarse", "fine", "reader", "issuer"))
    parser.add_argument("out")
    parser.add_argument("runs", nargs="+")
    args = parser.parse_args()
    loaded = [load(run, args.net) for run in args.runs]
    state = next((s for _, _, s in loaded if s), None)
    if state is None:
        raise SystemExit("at least one run must have a checkpoint: quantising looks at its samples")
    share = 1 / len(loaded)
    weights = [w for w, _, _ in loaded]
    state["average"] = {
        k: sum(w[k] for w in weights) * share if v.dtype.is_floating_point else v for k, v in state["average"].items()
    }
    state["samples"] = sum(samples for _, samples, _ in loaded)
    torch.save(state, settings.cache("runs", args.out) / "checkpoint.pt")
    print(f"{args.out}: mean of {', '.join(args.runs)}; {state['samples']} samples in all")


if __name__ == "__main__":
    sys.exit(main())
