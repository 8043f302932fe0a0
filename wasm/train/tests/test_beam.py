"""The beam against an enumeration of all alignments."""
import itertools
import unittest

import numpy as np

from eval.beam import ALPHABET, greedy, log_softmax, merge, search


def collapse(path):
    out, last = [], 0
    for c in path:
        if c and c != last:
            out.append(c)
        last = c
    return tuple(out)


class BeamTest(unittest.TestCase):
    def test_equals_enumeration(self):
        rng = np.random.default_rng(1)
        for _ in range(5):
            logp = np.full((5, 37), -1e9)
            logp[:, :4] = rng.normal(size=(5, 4)) * 2
            logp = log_softmax(logp)
            exact = {}
            for path in itertools.product(range(4), repeat=5):
                exact[collapse(path)] = exact.get(collapse(path), 0) + np.exp(
                    sum(logp[t, c] for t, c in enumerate(path))
                )
            best = max(exact, key=exact.get)
            text, p = search(logp, width=500, floor=-100)[0]
            self.assertEqual(text, "".join(ALPHABET[c - 1] for c in best))
            self.assertAlmostEqual(np.exp(p), exact[best], places=9)

    def test_same_letter_twice_needs_a_blank(self):
        logits = np.full((5, 37), -9.0)
        for t, c in enumerate((3, 0, 3, 3, 0)):
            logits[t, c] = 9
        self.assertEqual(search(log_softmax(logits))[0][0], "22")
        self.assertEqual(greedy(logits), "22")

    def test_merging_a_look_with_itself_changes_nothing(self):
        logp = log_softmax(np.random.default_rng(2).normal(size=(40, 37)))
        np.testing.assert_allclose(merge([logp, logp]), logp, atol=1e-12)

    def test_only_blanks_is_the_empty_text(self):
        logits = np.zeros((40, 37))
        logits[:, 0] = 20
        self.assertEqual(search(log_softmax(logits))[0][0], "")


if __name__ == "__main__":
    unittest.main()
