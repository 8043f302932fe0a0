"""Checkpoints -> wasm/models/platestream.psm.

    python3 export.py --out ../models/platestream.psm [--runs FOLDER]

A net without a checkpoint is exported untrained (right shapes, useless weights), so that the runtime
can be built before the training is done.
"""
import argparse
import datetime
import json
import os
import pathlib

import numpy as np
import torch

import psm
import settings
import shipped
import syntax
from nets import shapes
from nets.module import GraphNet
from nets.quantise import quantise
from regions import REGIONS

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
CASCADE = {"coarseFloor": 0.06, "candidates": 3, "coarseShare": 0.5, "crowdFloor": 0.4, "fineZoom": 2.0, "fineFloor": 0.2,
           "readMargins": [0.05, 0.0, 0.12], "readSure": 0.75, "readHopeless": 0.02, "beam": 12, "syntaxWeight": 0.5, "readFloor": 0.3,
           "twoLineBelow": 2.3, "regionScale": 1.0, "regionFloor": 0.5, "regionSyntax": 0.5, "letterWeight": 0.5, "calibA": 1.0, "calibB": 0.0}


def load_net(name, graph, runs):
    """The averaged weights of run `name` and the inputs kept beside them for calibration."""
    net = GraphNet(graph)
    path = pathlib.Path(runs) / name / "checkpoint.pt"
    calibration, card = None, {"trained": False}
    if path.exists():
        state = torch.load(path, map_location="cpu")
        net.load_state_dict(state["average"])
        calibration = state.get("calibration")
        card = {"trained": True, "samples": state["samples"], "seed": state["seed"], "minutes": round(state["minutes"], 1)}
    if calibration is None:
        rng = np.random.default_rng(0)
        calibration = torch.from_numpy(rng.normal(size=(8, 1, graph.input_h, graph.input_w)).clip(-4, 4)).float()
    return net.eval(), [calibration], card


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", required=True)
    parser.add_argument("--runs", default=str(settings.cache("runs")))
    for name in ("coarse", "fine", "reader"):
        parser.add_argument(f"--{name}", default=name, help="name of the run")
    parser.add_argument("--cascade", help="JSON file with tuned constants", default=None)
    args = parser.parse_args()
    torch.manual_seed(0)
    nets, card, states = [], {}, {}
    for name, graph in (("coarse", shapes.coarse()), ("fine", shapes.fine()), ("reader", shapes.reader())):
        net, batches, card[name] = load_net(getattr(args, name), graph, args.runs)
        card[name]["mmac"] = round(graph.macs() / 1e6, 1)
        card[name]["parameters"] = sum(p.numel() for p in net.parameters())
        nets.append(quantise(net, batches))
        states[name] = net.state_dict()
    cascade = dict(CASCADE)
    tuned = pathlib.Path(args.cascade) if args.cascade else pathlib.Path(args.runs) / "cascade.json"
    if tuned.exists():
        cascade.update(json.loads(tuned.read_text()))
    metadata = {"name": "platestream", "version": 1,
                "trainedAt": datetime.datetime.utcnow().strftime("%Y-%m-%dT%H:%M:%SZ"),
                "alphabet": ALPHABET, "cascade": cascade, "syntax": syntax.table(), "regions": REGIONS, "syntaxByRegion": syntax.by_region(), "letters": syntax.letters(), "card": card}
    model_id = psm.write(args.out, metadata, nets)
    if pathlib.Path(args.out).resolve().parent == shipped.FILE.parent:
        shipped.save(states)
    print(json.dumps({"id": model_id, "bytes": os.path.getsize(args.out), **card}))


if __name__ == "__main__":
    main()
