"""Float net -> integer net of docs/model-format.md: int8 weights per output channel, int16 activations."""
from dataclasses import dataclass
from typing import List, Optional

import numpy as np
import torch

from .graph import CONV, Graph

ACT_MAX = 8191
INPUT_SCALE = 512.0  # the runtime feeds round(512 * normalised grey)
HEADROOM = 0.75  # the calibration maximum maps to this fraction of ACT_MAX


@dataclass
class QLayer:
    """The arrays that a layer record points to. weight int8 [cout, k, k, cin]; mult, bias f32 [cout]."""

    weight: Optional[np.ndarray]
    mult: np.ndarray
    bias: Optional[np.ndarray]
    add_mul: float = 0.0


@dataclass
class QNet:
    graph: Graph
    layers: List[QLayer]


@torch.no_grad()
def activation_peaks(net, batches):
    """Largest |value| of each tensor over calibration batches of normalised inputs [n, 1, h, w]."""
    peaks = np.zeros(len(net.graph.layers) + 1)
    for x in batches:
        for i, t in enumerate(net.tensors(x)):
            peaks[i] = max(peaks[i], float(t.abs().max()))
    return peaks


def best_step(row):
    """Step of an int8 grid for one channel's weights: the one with the least squared error."""
    top = np.abs(row).max()
    if top == 0:
        return 1.0
    steps = top / 127 * np.linspace(0.7, 1.0, 16)
    errors = [np.sum((row - np.clip(np.round(row / s), -127, 127) * s) ** 2) for s in steps]
    return float(steps[int(np.argmin(errors))])


def quantise(net, batches) -> QNet:
    """Quantise a trained `GraphNet` (in eval mode); `batches` are calibration inputs of the train part."""
    net.eval()
    graph = net.graph
    peaks = activation_peaks(net, batches)
    scale = [INPUT_SCALE] + [ACT_MAX * HEADROOM / max(p, 1e-6) for p in peaks[1:]]
    layers = []
    for i, layer in enumerate(graph.layers):
        if layer.raw:
            scale[i + 1] = 1.0
        if layer.op != CONV:
            scale[i + 1] = scale[layer.src]
            height = graph.shapes()[layer.src][0]
            layers.append(QLayer(None, np.full(1, 1 / height, np.float32), None))
            continue
        w, b = (t.double().numpy() for t in net.folded(i))
        flat = w.reshape(len(w), -1)
        steps = np.array([best_step(row) for row in flat])
        whole = np.clip(np.round(flat / steps[:, None]), -127, 127).astype(np.int8)
        weight = np.ascontiguousarray(whole.reshape(w.shape).transpose(0, 2, 3, 1))
        layers.append(
            QLayer(
                weight,
                (steps * scale[i + 1] / scale[layer.src]).astype(np.float32),
                (b * scale[i + 1]).astype(np.float32),
                0.0 if layer.add is None else float(np.float32(scale[i + 1] / scale[layer.add])),
            )
        )
    qnet = QNet(graph, layers)
    prove_no_overflow(qnet)
    return qnet


def prove_no_overflow(qnet: QNet):
    """Prove that no int32 sum can overflow, not even in Winograd form, which computes four times the sum exactly."""
    for i, layer in enumerate(qnet.layers):
        if layer.weight is not None:
            worst = int(np.abs(layer.weight.astype(np.int64)).reshape(len(layer.weight), -1).sum(1).max())
            if 4 * ACT_MAX * worst >= 2**31:
                raise OverflowError(f"layer {i}: 4 * {ACT_MAX} * {worst} does not fit into 31 bits")
