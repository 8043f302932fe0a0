"""The integer net exactly as the runtime computes it (every step rounded as in docs/model-format.md)."""
import numpy as np
import torch
import torch.nn.functional as F

from .graph import ADD_UP2, CONV
from .module import enlarge
from .quantise import ACT_MAX, INPUT_SCALE, QNet


def quantise_input(v):
    """Normalised grey values -> int16 inputs (kept in float64, which holds them exactly)."""
    return np.round(INPUT_SCALE * np.asarray(v, np.float64))


class Simulation:
    """Runs a `QNet`. Sums are computed in float64, where they are exact; the rest in float32."""

    def __init__(self, qnet: QNet):
        self.graph = qnet.graph
        self.layers = []
        for q in qnet.layers:
            w = (
                None
                if q.weight is None
                else torch.from_numpy(q.weight.transpose(0, 3, 1, 2).astype(np.float64)).contiguous(
                    memory_format=torch.channels_last
                )
            )
            self.layers.append(
                (
                    w,
                    torch.tensor(q.mult),
                    None if q.bias is None else torch.tensor(q.bias),
                    torch.tensor(q.add_mul, dtype=torch.float32),
                )
            )

    @torch.no_grad()
    def tensors(self, q):
        """q: integer inputs [n, h, w]. Returns all tensors [n, c, h, w] (float64; raw ones float32)."""
        out = [torch.as_tensor(q, dtype=torch.float64)[:, None].contiguous(memory_format=torch.channels_last)]
        for layer, (w, mult, bias, add_mul) in zip(self.graph.layers, self.layers):
            src = out[layer.src]
            if layer.op == CONV:
                acc = F.conv2d(src, w, None, (layer.stride_y, layer.stride_x), layer.kernel // 2)
                t = acc.float() * mult[None, :, None, None]
                t = t + bias[None, :, None, None]
                if layer.add is not None:
                    addend = out[layer.add].float()
                    t = t + (enlarge(addend, t) if layer.add_mode == ADD_UP2 else addend) * add_mul
                if layer.relu:
                    t = F.relu(t)
            else:
                t = src.sum(2, keepdim=True).float() * mult[0]
            out.append(t if layer.raw else torch.clamp(torch.round(t), -ACT_MAX, ACT_MAX).double())
        return out

    def __call__(self, q):
        """Output of the last layer as float32 numpy [n, c, h, w]."""
        return self.tensors(q)[-1].numpy()
