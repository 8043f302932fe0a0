"""Reads and writes the model file (`*.psm`, docs/model-format.md)."""
import hashlib
import json
import struct

import numpy as np

from nets.graph import ADD_NONE, CONV, MEAN_H, Graph, Layer
from nets.quantise import QLayer, QNet, prove_no_overflow

MAGIC = b"PSMODEL1"
NONE = 0xFFFFFFFF
RELU, RAW = 1, 2
WORDS = 16


def pad16(data: bytes, fill=b"\0") -> bytes:
    return data + fill * (-len(data) % 16)


def net_blob(qnet: QNet) -> bytes:
    """One net: header, layer records, then weights and tables, each 16-byte aligned."""
    prove_no_overflow(qnet)
    graph = qnet.graph
    head = struct.pack("<16I", graph.kind, graph.input_h, graph.input_w, len(graph.layers), *[0] * 12)
    at = len(head) + 64 * len(graph.layers)
    records, tables = b"", b""

    def place(array):
        nonlocal tables
        offset = at + len(tables)
        tables += pad16(array.tobytes())
        return offset

    for layer, q in zip(graph.layers, qnet.layers):
        offsets = [place(a) if a is not None else 0 for a in (q.weight, q.mult, q.bias)]
        records += struct.pack(
            "<13If2I",
            layer.op,
            layer.src,
            NONE if layer.add is None else layer.add,
            layer.add_mode,
            layer.kernel,
            layer.stride_y,
            layer.stride_x,
            layer.cin,
            layer.cout,
            (RELU if layer.relu else 0) | (RAW if layer.raw else 0),
            *offsets,
            q.add_mul,
            0,
            0,
        )
    return head + records + tables


def write(path, metadata: dict, nets) -> str:
    """Write a model file, return its id (16 hex digits)."""
    meta = pad16(json.dumps(metadata, separators=(",", ":"), ensure_ascii=False).encode(), b" ")
    data = MAGIC + struct.pack("<2I", len(meta), len(nets)) + meta
    for qnet in nets:
        blob = net_blob(qnet)
        data += struct.pack("<4I", len(blob), 0, 0, 0) + pad16(blob)
    with open(path, "wb") as f:
        f.write(data)
    return hashlib.sha256(data).hexdigest()[:16]


def read_net(blob: bytes) -> QNet:
    kind, h, w, count = struct.unpack_from("<4I", blob)
    graph, layers = Graph(kind, h, w), []
    for i in range(count):
        words = struct.unpack_from("<13If2I", blob, 64 + 64 * i)
        op, src, add, mode, k, sy, sx, cin, cout, flags, wo, mo, bo, add_mul = words[:14]
        graph.layers.append(
            Layer(
                op, src, cin, cout, k, sy, sx, None if add == NONE else add, mode, bool(flags & RELU), bool(flags & RAW)
            )
        )
        if op == CONV:
            weight = np.frombuffer(blob, np.int8, cout * k * k * cin, wo).reshape(cout, k, k, cin)
            layers.append(
                QLayer(
                    weight,
                    np.frombuffer(blob, np.float32, cout, mo),
                    np.frombuffer(blob, np.float32, cout, bo),
                    add_mul,
                )
            )
        else:
            layers.append(QLayer(None, np.frombuffer(blob, np.float32, 1, mo), None))
    return QNet(graph, layers)


def read(path):
    """-> (metadata, {kind: QNet})"""
    with open(path, "rb") as f:
        data = f.read()
    if data[:8] != MAGIC:
        raise ValueError(f"{path} is not a model file")
    size, count = struct.unpack_from("<2I", data, 8)
    meta, at, nets = json.loads(data[16 : 16 + size]), 16 + size, {}
    for _ in range(count):
        (length,) = struct.unpack_from("<I", data, at)
        qnet = read_net(data[at + 16 : at + 16 + length])
        nets[qnet.graph.kind] = qnet
        at += 16 + length + (-length % 16)
    return meta, nets
