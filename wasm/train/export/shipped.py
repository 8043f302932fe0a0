"""The float weights of the shipped nets, so that training can continue on another machine (half precision, about 1 MB).

`--start-from shipped` of both training programs reads them; `export.py` writes them beside the model file.
"""
import pathlib

import numpy as np
import torch

import settings

FILE = pathlib.Path(__file__).resolve().parents[2] / "models" / "weights.npz"


def save(states, path=FILE):
    """`states`: {net name: state dict}. Counts and running statistics keep their precision."""
    arrays = {}
    for name, state in states.items():
        for key, value in state.items():
            array = value.detach().numpy()
            arrays[f"{name}/{key}"] = (
                array.astype(np.float16) if array.dtype == np.float32 and array.ndim > 1 else array
            )
    np.savez_compressed(path, **arrays)


def load(name, path=FILE):
    """State dict of a net (coarse, fine, reader)."""
    with np.load(path) as file:
        return {
            key.split("/", 1)[1]: torch.from_numpy(
                np.asarray(file[key], np.float32) if file[key].dtype == np.float16 else file[key]
            )
            for key in file.files
            if key.startswith(name + "/")
        }


def starting_state(run, name):
    """Averaged weights of another run, or of the shipped net when `run` is "shipped"."""
    return load(name) if run == "shipped" else torch.load(settings.cache("runs", run) / "checkpoint.pt")["average"]
