"""Quantising, the model file, and the integer arithmetic against plain loops."""
import os
import tempfile
import unittest

import numpy as np
import torch

from export import psm
from nets import shapes
from nets.graph import ADD_UP2, CONV, Graph
from nets.module import GraphNet
from nets.quantise import ACT_MAX, QLayer, QNet, prove_no_overflow, quantise
from nets.simulate import Simulation, quantise_input


def small_graph():
    """Every feature of a layer record once."""
    g = Graph(1, 12, 20)
    a = g.conv(0, 16, stride=(2, 2))
    b = g.conv(a, 16, add=a)
    c = g.conv(b, 16, stride=(2, 1))
    d = g.conv(c, 16, stride=(1, 2))
    e = g.conv(a, 16, kernel=1, add=d, add_mode=ADD_UP2)
    m = g.mean_h(e)
    g.conv(m, 5, kernel=1, relu=False, raw=True)
    return g


def plain(qnet, image):
    """The document's arithmetic, one number at a time."""
    tensors = [image.astype(np.int64)[:, :, None]]
    f = np.float32
    for layer, q in zip(qnet.graph.layers, qnet.layers):
        x = tensors[layer.src]
        h, w, _ = x.shape
        if layer.op != CONV:
            t = (f(1) * x.sum(0, keepdims=True).astype(f)) * q.mult[0]
            tensors.append(np.clip(np.rint(t), -ACT_MAX, ACT_MAX).astype(np.int64))
            continue
        oh, ow = -(-h // layer.stride_y), -(-w // layer.stride_x)
        out = np.zeros((oh, ow, layer.cout), f)
        for oy in range(oh):
            for ox in range(ow):
                acc = np.zeros(layer.cout, np.int64)
                for ky in range(layer.kernel):
                    for kx in range(layer.kernel):
                        y, xx = (
                            oy * layer.stride_y + ky - layer.kernel // 2,
                            ox * layer.stride_x + kx - layer.kernel // 2,
                        )
                        if 0 <= y < h and 0 <= xx < w:
                            acc += q.weight[:, ky, kx].astype(np.int64) @ x[y, xx]
                t = acc.astype(f) * q.mult
                t = t + q.bias
                if layer.add is not None:
                    a = tensors[layer.add]
                    a = a[oy >> 1, ox >> 1] if layer.add_mode == ADD_UP2 else a[oy, ox]
                    t = t + a.astype(f) * f(q.add_mul)
                out[oy, ox] = np.maximum(t, 0) if layer.relu else t
        tensors.append(out if layer.raw else np.clip(np.rint(out), -ACT_MAX, ACT_MAX).astype(np.int64))
    return tensors[-1]


class ModelTest(unittest.TestCase):
    def setUp(self):
        torch.manual_seed(1)
        self.net = GraphNet(small_graph())
        self.net.train()
        for _ in range(3):
            self.net(torch.randn(4, 1, 12, 20))
        self.net.eval()
        self.qnet = quantise(self.net, [torch.randn(16, 1, 12, 20).clamp(-4, 4)])

    def test_simulation_equals_plain_loops_in_every_bit(self):
        q = quantise_input(np.random.default_rng(3).normal(size=(12, 20)).clip(-4, 4))
        np.testing.assert_array_equal(Simulation(self.qnet)(q[None])[0].transpose(1, 2, 0), plain(self.qnet, q))

    def test_quantised_is_close_to_float(self):
        for graph in (small_graph(), shapes.reader(), shapes.fine()):
            net = GraphNet(graph)
            torch.nn.init.normal_(net.convs[-1].weight, std=0.3)
            x = torch.randn(4, 1, graph.input_h, graph.input_w).clamp(-4, 4)
            net.train()(x)
            net.eval()
            exact = net(x).detach().numpy()
            got = Simulation(quantise(net, [x]))(quantise_input(x[:, 0].numpy()))
            self.assertLess(np.abs(got - exact).mean(), 0.04 * exact.std())

    def test_file_round_trip(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "m.psm")
            identifier = psm.write(path, {"name": "t", "cascade": {}}, [self.qnet])
            meta, nets = psm.read(path)
            self.assertEqual(meta["name"], "t")
            self.assertEqual(len(identifier), 16)
            self.assertEqual(nets[1].graph, self.qnet.graph)
            for a, b in zip(nets[1].layers, self.qnet.layers):
                for x, y in ((a.weight, b.weight), (a.mult, b.mult), (a.bias, b.bias)):
                    if y is not None:
                        np.testing.assert_array_equal(x, y)

    def test_overflow_is_refused(self):
        g = Graph(1, 8, 8)
        g.conv(0, 16)
        g.conv(1, 64)
        g.conv(2, 64)
        layers = [
            QLayer(
                np.full((l.cout, 3, 3, l.cin), 127, np.int8), np.ones(l.cout, np.float32), np.zeros(l.cout, np.float32)
            )
            for l in g.layers
        ]
        with self.assertRaises(OverflowError):
            prove_no_overflow(QNet(g, layers))

    def test_real_shapes(self):
        self.assertEqual(shapes.reader().shapes()[-1], (1, 40))
        self.assertEqual(shapes.coarse().shapes()[-1], (24, 40))
        self.assertEqual(shapes.fine().shapes()[-1], (12, 24))


if __name__ == "__main__":
    unittest.main()
