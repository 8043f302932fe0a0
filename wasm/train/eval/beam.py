"""CTC decoding as in the runtime: log-softmax, crop ensemble, prefix beam search."""
import numpy as np

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
LOW = -1e30


def log_softmax(logits):
    """Over the last axis, float64."""
    x = np.asarray(logits, np.float64)
    x = x - x.max(-1, keepdims=True)
    return x - np.log(np.exp(x).sum(-1, keepdims=True))


def merge(looks):
    """Mean of log-probabilities [columns, classes] of several crops, renormalised column by column."""
    return log_softmax(np.mean(looks, axis=0))


def text_probabilities(logp, texts):
    """CTC probability (all alignments) of each text given [columns, 37] log-probabilities -> [texts]."""
    p = np.exp(logp)
    lengths = np.array([len(t) for t in texts])
    labels = np.zeros((len(texts), 2 * int(lengths.max(initial=0)) + 1), int)  # blank, c0, blank, c1, ...
    for row, text in zip(labels, texts):
        row[1 : 2 * len(text) : 2] = [ALPHABET.index(c) + 1 for c in text]
    skip = (labels[:, 2:] != labels[:, :-2]) & (labels[:, 2:] > 0)
    a = np.zeros(labels.shape)
    a[:, :2] = p[0][labels[:, :2]]
    for column in p[1:]:
        b = a.copy()
        b[:, 1:] += a[:, :-1]
        b[:, 2:] += a[:, :-2] * skip
        a = b * column[labels]
    n = np.arange(len(texts))
    return a[n, 2 * lengths] + np.where(lengths > 0, a[n, np.maximum(2 * lengths - 1, 0)], 0)


def judge(looks, width=8, least=1e-12):
    """Texts of several crops [columns, 37] (log-probabilities) -> [(text, probability)], best first.

    A character is in other columns of each crop, so columns are not averaged: all crops judge every text that one of
    them proposes (docs/model-format.md, rule 7). With one crop these are its own probabilities.
    """
    texts = sorted({text for look in looks for text, _ in search(look, width)})
    p = np.stack([text_probabilities(look, texts) for look in looks])
    rest = np.exp(np.log(np.maximum(1 - p.sum(1), least)).mean())
    g = np.exp(np.log(np.maximum(p, least)).mean(0))
    return sorted(zip(texts, (g / (g.sum() + rest)).tolist()), key=lambda i: -i[1])


def add(a, b):
    """log(exp(a) + exp(b))"""
    if a < b:
        a, b = b, a
    return a if b <= LOW else a + np.log1p(np.exp(b - a))


def search(logp, width=8, floor=-12.0):
    """CTC prefix beam search over [columns, 37] log-probabilities -> [(text, log probability)], best first.

    Classes below `floor` in a column are not tried: they cannot be part of a relevant text.
    """
    beams = {(): (0.0, LOW)}  # prefix -> (ends in blank, ends in its last character)
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
