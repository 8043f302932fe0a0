"""A net as a list of layers, each of which is one layer record of the model file.

The same list is trained (`module.py`), quantised (`quantise.py`), simulated bit by bit
(`simulate.py`) and written (`psm.py`), so the four always agree about shapes.
"""
from dataclasses import dataclass, field
from typing import List, Optional

CONV, MEAN_H = 1, 2
ADD_NONE, ADD_SAME, ADD_UP2 = 0, 1, 2


@dataclass
class Layer:
    """One layer. `src` and `add` are tensor numbers: 0 the input, i + 1 the output of layer i."""

    op: int
    src: int
    cin: int
    cout: int
    kernel: int = 3
    stride_y: int = 1
    stride_x: int = 1
    add: Optional[int] = None
    add_mode: int = ADD_NONE
    relu: bool = True
    raw: bool = False


@dataclass
class Graph:
    """A net: kind (1 coarse, 2 fine, 3 reader), nominal input size in pixels, layers in order."""

    kind: int
    input_h: int
    input_w: int
    layers: List[Layer] = field(default_factory=list)

    def channels(self, tensor: int) -> int:
        return 1 if tensor == 0 else self.layers[tensor - 1].cout

    def conv(self, src, cout, kernel=3, stride=(1, 1), add=None, add_mode=ADD_SAME, relu=True, raw=False) -> int:
        """Append a convolution, return the number of its output tensor."""
        cin = self.channels(src)
        assert cin == 1 or cin % 16 == 0, "the runtime wants 1 or 16n input channels"
        assert raw or cout % 8 == 0, "the runtime wants 8n output channels"
        if add is not None:
            assert self.channels(add) == cout
        self.layers.append(
            Layer(
                CONV,
                src,
                cin,
                cout,
                kernel,
                stride[0],
                stride[1],
                add,
                ADD_NONE if add is None else add_mode,
                relu,
                raw,
            )
        )
        return len(self.layers)

    def mean_h(self, src) -> int:
        """Append a mean over the height, return the number of its output tensor."""
        c = self.channels(src)
        self.layers.append(Layer(MEAN_H, src, c, c, kernel=1, relu=False))
        return len(self.layers)

    def shapes(self, h=None, w=None):
        """(height, width) of every tensor for an input of `h` x `w` pixels."""
        out = [(h or self.input_h, w or self.input_w)]
        for layer in self.layers:
            y, x = out[layer.src]
            out.append((1, x) if layer.op == MEAN_H else (-(-y // layer.stride_y), -(-x // layer.stride_x)))
        return out

    def macs(self, h=None, w=None) -> int:
        """Multiply-adds of one run."""
        sizes = self.shapes(h, w)
        return sum(
            sizes[i + 1][0] * sizes[i + 1][1] * l.kernel**2 * l.cin * l.cout
            for i, l in enumerate(self.layers)
            if l.op == CONV
        )
