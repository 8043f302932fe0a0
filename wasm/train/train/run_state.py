"""What the training programs share: a net with its optimiser and average, resumed from a checkpoint,
with progress reports."""
import json
import time

import torch

import settings
from nets.module import Average, GraphNet


def rate(samples, total, top, warm_up=20000):
    """Learning rate: a short warm-up, then a cosine down to a hundredth."""
    warm = min(1.0, samples / warm_up + 0.02)
    return top * warm * (0.01 + 0.99 * 0.5 * (1 + torch.cos(torch.tensor(torch.pi * min(1.0, samples / total))).item()))


class RunState:
    """A net in training under the name `run`.
    `samples` were seen in `minutes`; `judge()` gives the averaged net that is shipped."""

    def __init__(self, run, graph, seed, top_rate, decay=0.999, start=None):
        """`start(net)` sets the weights of a run that begins; a checkpoint, if there is one, takes precedence."""
        torch.set_num_threads(1)
        torch.manual_seed(seed)
        self.folder, self.graph, self.seed, self.top_rate = settings.cache("runs", run), graph, seed, top_rate
        self.net = GraphNet(graph).to(memory_format=torch.channels_last)
        self.samples, self.minutes = 0, 0.0
        self.checkpoint = self.folder / "checkpoint.pt"
        if start and not self.checkpoint.exists():
            start(self.net)
        self.optimiser = torch.optim.AdamW(self.net.parameters(), lr=top_rate, weight_decay=1e-3)
        self.average = Average(self.net, decay)
        if self.checkpoint.exists():
            state = torch.load(self.checkpoint)
            self.net.load_state_dict(state["net"])
            self.optimiser.load_state_dict(state["optimiser"])
            self.average.state, self.average.steps = state["average"], state["steps"]
            self.samples, self.minutes = state["samples"], state["minutes"]
        self.shown, self.sums, self.count, self.watch = self.samples, 0.0, 0, time.time()

    def forward(self, x):
        """The net's output, float32, computed in bfloat16 where the processor can."""
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=settings.has_bf16()):
            return self.net(x).float()

    def step(self, loss, parts, seen, total):
        """One optimiser step on `loss`; the report shows the mean of `parts` (an array); `seen` samples of `total`."""
        for group in self.optimiser.param_groups:
            group["lr"] = rate(self.samples, total, self.top_rate)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.net.parameters(), 5.0)
        self.optimiser.step()
        self.average.update(self.net)
        self.samples += seen
        self.sums, self.count = self.sums + parts, self.count + 1

    def due(self, every, total):
        """Whether a report is due."""
        return self.samples - self.shown >= every or self.samples >= total

    def judge(self):
        """The averaged net, to be measured."""
        net = GraphNet(self.graph).to(memory_format=torch.channels_last)
        net.load_state_dict(self.average.state)
        return net.eval()

    def report(self, names, figures, calibration):
        """Prints a line, appends it to the curve and writes the checkpoint;
        `calibration` inputs are those for quantising."""
        spent = time.time() - self.watch
        self.minutes += spent / 60
        means = dict(zip(names, (round(float(v), 4) for v in self.sums / max(self.count, 1))))
        line = {
            "samples": self.samples,
            **means,
            "per_s": round((self.samples - self.shown) / spent),
            **figures,
            "minutes": round(self.minutes, 1),
        }
        print(json.dumps(line), flush=True)
        with open(self.folder / "curve.jsonl", "a", encoding="utf-8") as f:
            f.write(json.dumps(line) + "\n")
        temporary = self.folder / "checkpoint.tmp.pt"
        torch.save(
            {
                "net": self.net.state_dict(),
                "optimiser": self.optimiser.state_dict(),
                "average": self.average.state,
                "steps": self.average.steps,
                "samples": self.samples,
                "minutes": self.minutes,
                "seed": self.seed,
                "calibration": calibration,
            },
            temporary,
        )
        temporary.replace(self.checkpoint)
        self.shown, self.sums, self.count, self.watch = self.samples, 0.0, 0, time.time()
