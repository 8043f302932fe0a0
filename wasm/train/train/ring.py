"""A ring of ready samples in shared memory: makers fill it, the trainer draws from it and never waits.

A sample may be drawn more than once while it is in the ring; makers that are faster than the trainer wait
once `size` samples are ahead of one for every `reuse` drawn. Array fields only; a text is stored as class
numbers padded with zeros.
"""
import ctypes
import multiprocessing as mp
import os
import signal
import time

import numpy as np


class Ring:
    """`fields`: {name: (shape, dtype)} of one sample;
    `size` samples, each drawn `reuse` times on average when makers are fast enough."""

    def __init__(self, fields, size, reuse=1):
        self.size, self.reuse, self.fields, self.raw = size, reuse, fields, {}
        for name, (shape, dtype) in fields.items():
            count = int(np.prod(shape)) * size
            self.raw[name] = mp.RawArray(ctypes.c_byte, count * np.dtype(dtype).itemsize)
        self.made, self.drawn = mp.Value(ctypes.c_longlong, 0), mp.Value(ctypes.c_longlong, 0)
        self.views = self.view()
        self.makers = []

    def view(self):
        return {
            n: np.frombuffer(self.raw[n], dtype).reshape((self.size, *shape))
            for n, (shape, dtype) in self.fields.items()
        }

    def start(self, maker, seeds, nice=5):
        """One process per seed; `maker(seed)` returns a function that returns one sample as {name: array}."""
        for seed in seeds:
            p = mp.Process(target=self._fill, args=(maker, seed, nice), daemon=True)
            p.start()
            self.makers.append(p)

    def _fill(self, maker, seed, nice):
        os.nice(nice)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        import cv2
        import torch

        cv2.setNumThreads(1)
        torch.set_num_threads(1)
        views, sample = self.view(), maker(seed)
        while os.getppid() != 1:
            if self.made.value > self.drawn.value // self.reuse + self.size:
                time.sleep(0.05)
                continue
            values = sample()
            with self.made.get_lock():
                at = self.made.value % self.size
                for name, value in values.items():
                    views[name][at] = value
                self.made.value += 1

    def filled(self):
        return min(self.made.value, self.size)

    def draw(self, rng, n):
        at = rng.integers(self.filled(), size=n)
        self.drawn.value += n
        return {name: v[at] for name, v in self.views.items()}

    def stop(self):
        for p in self.makers:
            p.terminate()
