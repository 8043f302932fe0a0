"""The float net that is trained: a graph with batch normalisation after each convolution."""
import torch
import torch.nn.functional as F
from torch import nn

from .graph import ADD_UP2, CONV, Graph


def enlarge(addend, like):
    """Nearest-neighbour doubling cropped to the size of `like`: pixel (y >> 1, x >> 1)."""
    return F.interpolate(addend, scale_factor=2, mode="nearest")[:, :, : like.shape[2], : like.shape[3]]


class GraphNet(nn.Module):
    """Runs a `Graph` on float tensors, NCHW. `forward` returns the last layer's output."""

    def __init__(self, graph: Graph):
        super().__init__()
        self.graph = graph
        self.convs, self.norms = nn.ModuleList(), nn.ModuleList()
        for layer in graph.layers:
            if layer.op != CONV:
                self.convs.append(nn.Identity())
                self.norms.append(nn.Identity())
                continue
            conv = nn.Conv2d(
                layer.cin, layer.cout, layer.kernel, (layer.stride_y, layer.stride_x), layer.kernel // 2, bias=layer.raw
            )
            nn.init.kaiming_normal_(conv.weight, nonlinearity="relu")
            self.convs.append(conv)
            self.norms.append(nn.Identity() if layer.raw else nn.BatchNorm2d(layer.cout))
            if layer.raw:
                nn.init.normal_(conv.weight, std=0.01)
                nn.init.zeros_(conv.bias)

    def tensors(self, x):
        """All tensors of a run, in the numbering of the graph."""
        out = [x]
        for layer, conv, norm in zip(self.graph.layers, self.convs, self.norms):
            src = out[layer.src]
            if layer.op != CONV:
                out.append(src.mean(2, keepdim=True))
                continue
            t = norm(conv(src))
            if layer.add is not None:
                addend = out[layer.add]
                t = t + (enlarge(addend, t) if layer.add_mode == ADD_UP2 else addend)
            out.append(F.relu(t) if layer.relu else t)
        return out

    def forward(self, x):
        return self.tensors(x)[-1]

    def folded(self, index):
        """(weight [cout, cin, k, k], bias [cout]) of layer `index` with the normalisation folded in."""
        conv, norm = self.convs[index], self.norms[index]
        if isinstance(norm, nn.Identity):
            return conv.weight.detach(), conv.bias.detach()
        gain = norm.weight / torch.sqrt(norm.running_var + norm.eps)
        return (conv.weight * gain[:, None, None, None]).detach(), (norm.bias - norm.running_mean * gain).detach()


class Average:
    """Exponential moving average of a module's state; the averaged net is what gets evaluated and shipped."""

    def __init__(self, net, decay=0.999):
        self.decay = decay
        self.state = {k: v.clone() for k, v in net.state_dict().items()}
        self.steps = 0

    @torch.no_grad()
    def update(self, net):
        self.steps += 1
        d = min(self.decay, self.steps / (self.steps + 10))  # adapts quickly at first
        for k, v in net.state_dict().items():
            s = self.state[k]
            if v.dtype.is_floating_point:
                s.mul_(d).add_(v, alpha=1 - d)
            else:
                s.copy_(v)
