"""CTC decoding as the runtime does it: log-softmax, merging of looks, prefix beam search."""
import numpy as np

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
LOW = -1e30


def log_softmax(logits):
    """Over the last axis, float64."""
    x = np.asarray(logits, np.float64)
    x = x - x.max(-1, keepdims=True)
    return x - np.log(np.exp(x).sum(-1, keepdims=True))


def merge(looks):
    """Mean of log-probabilities [columns, classes] of several looks, renormalised column by column."""
    return log_softmax(np.mean(looks, axis=0))


def add(a, b):
    """log(exp(a) + exp(b))"""
    if a < b:
        a, b = b, a
    return a if b <= LOW else a + np.log1p(np.exp(b - a))


def search(logp, width=8, floor=-12.0):
    """CTC prefix beam search over [columns, 37] log-probabilities -> [(text, log probability)], best first.

    Classes below `floor` in a column are not tried: they cannot make a text that anyone would look at.
    """
    beams = {(): (0.0, LOW)}                       # prefix -> (ends in blank, ends in its last character)
    for column in logp:
        tried = [c for c in range(1, len(column)) if column[c] > floor]
        after = {}

        def put(prefix, blank, char):
            b, c = after.get(prefix, (LOW, LOW))
            after[prefix] = (add(b, blank), add(c, char))

        for prefix, (blank, char) in beams.items():
            total = add(blank, char)
            put(prefix, total + column[0], LOW)
            if prefix:
                put(prefix, LOW, char + column[prefix[-1]])
            for c in tried:
                put(prefix + (c,), LOW, (blank if prefix and prefix[-1] == c else total) + column[c])
        beams = dict(sorted(after.items(), key=lambda item: -add(*item[1]))[:width])
    ranked = sorted(((add(*p), prefix) for prefix, p in beams.items()), reverse=True)
    return [("".join(ALPHABET[c - 1] for c in prefix), float(p)) for p, prefix in ranked]


def greedy(logits):
    """Best class per column, repeats and blanks removed. [columns, classes] -> text"""
    out, last = "", 0
    for c in np.asarray(logits).argmax(-1):
        if c and c != last:
            out += ALPHABET[c - 1]
        last = c
    return out
