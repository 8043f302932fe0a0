"""Checkpoints -> wasm/models/platestream.psm.

    python3 -m export.export --out ../models/platestream.psm [--runs FOLDER]

A net without a checkpoint is copied from the shipped model, so that a single net can be retrained;
if that has none either, it is exported untrained (right shapes, useless weights).
"""
import argparse
import datetime
import json
import os
import pathlib

import numpy as np
import torch

from export import psm
import settings
from export import shipped
from data import syntax
from nets import shapes
from nets.graph import CONV
from nets.module import GraphNet
from nets.quantise import quantise
from data.regions import REGIONS

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
NAMES = ("coarse", "fine", "reader", "issuer")
CASCADE = {
    "coarseFloor": 0.15,
    "candidates": 3,
    "coarseShare": 0.5,
    "crowdFloor": 0.4,
    "fineZoom": 2.0,
    "fineFloor": 0.3,
    "readMargins": [0.05, 0.0, 0.12],
    "readSure": 0.75,
    "readHopeless": 0.02,
    "beam": 12,
    "syntaxWeight": 0.5,
    "readFloor": 0.3,
    "twoLineBelow": 2.3,
    "closeUpBelow": 200000,
    "regionScale": 1.0,
    "regionFloor": 0.5,
    "regionSyntax": 0.7,
    "letterWeight": 0.5,
    "calibA": 1.0,
    "calibB": 0.0,
}


def trained(path, graph):
    """(QNet, its card entry, averaged weights) of a checkpoint."""
    state, net = torch.load(path, map_location="cpu"), GraphNet(graph)
    net.load_state_dict(state["average"])
    card = {"trained": True, "samples": state["samples"], "seed": state["seed"], "minutes": round(state["minutes"], 1)}
    return quantise(net.eval(), [state["calibration"]]), card, state["average"]


def untrained(graph):
    rng, net = np.random.default_rng(0), GraphNet(graph).eval()
    noise = torch.from_numpy(rng.normal(size=(8, 1, graph.input_h, graph.input_w)).clip(-4, 4)).float()
    return quantise(net, [noise]), {"trained": False}, net.state_dict()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", required=True)
    parser.add_argument("--runs", default=str(settings.cache("runs")))
    for name in NAMES:
        parser.add_argument(f"--{name}", default=name, help="name of the run")
    parser.add_argument("--cascade", help="JSON file with tuned constants", default=None)
    args = parser.parse_args()
    torch.manual_seed(0)
    nets, card, states = [], {}, {}
    model = shipped.FILE.parent / "platestream.psm"
    old, kept = psm.read(model) if model.exists() else ({"card": {}}, {})
    for name in NAMES:
        graph, path = getattr(shapes, name)(), pathlib.Path(args.runs) / getattr(args, name) / "checkpoint.pt"
        if path.exists():
            net, card[name], states[name] = trained(path, graph)
        elif graph.kind in kept and kept[graph.kind].graph == graph:
            net, card[name], states[name] = kept[graph.kind], old["card"][name], shipped.load(name)
        else:
            net, card[name], states[name] = untrained(graph)
        card[name]["mmac"] = round(graph.macs() / 1e6, 1)
        card[name]["parameters"] = sum(l.cin * l.cout * l.kernel**2 + l.cout for l in graph.layers if l.op == CONV)
        nets.append(net)
    cascade = dict(CASCADE)
    tuned = pathlib.Path(args.cascade) if args.cascade else pathlib.Path(args.runs) / "cascade.json"
    if tuned.exists():
        cascade.update(json.loads(tuned.read_text()))
    metadata = {
        "name": "platestream",
        "version": 1,
        "trainedAt": datetime.datetime.utcnow().strftime("%Y-%m-%dT%H:%M:%SZ"),
        "alphabet": ALPHABET,
        "cascade": cascade,
        "syntax": syntax.table(),
        "regions": REGIONS,
        "syntaxByRegion": syntax.by_region(),
        "letters": syntax.letters(),
        "card": card,
    }
    model_id = psm.write(args.out, metadata, nets)
    if pathlib.Path(args.out).resolve().parent == shipped.FILE.parent:
        shipped.save(states)
    print(json.dumps({"id": model_id, "bytes": os.path.getsize(args.out), **card}))


if __name__ == "__main__":
    main()
