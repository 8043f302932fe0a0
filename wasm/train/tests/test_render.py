"""Rendering needs no font file and no photo, is seeded, and reports the position of each character."""
import unittest

import numpy as np

from render import Faces, render_plate
from render.serials import REGIONS, serial


class RenderTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.faces = Faces(None, strokes=8)

    def test_same_seed_same_plate(self):
        a, b = (render_plate(np.random.default_rng(5), self.faces, "us", "CA") for _ in range(2))
        self.assertEqual(a.text, b.text)
        np.testing.assert_array_equal(a.image, b.image)

    def test_characters_stand_in_order_inside_the_plate(self):
        rng = np.random.default_rng(6)
        for region, (table, _) in REGIONS.items():
            for state in table:
                plate = render_plate(rng, self.faces, region, state, height=48)
                self.assertEqual(plate.text, "".join(c for c, _, _ in plate.chars))
                self.assertGreaterEqual(len(plate.text), 2)
                marks = [x for _, a, b in plate.chars for x in (a, b)]
                self.assertEqual(marks, sorted(marks))
                self.assertGreater(marks[0], -0.02)
                self.assertLess(marks[-1], 1.02)

    def test_californian_serials(self):
        rng = np.random.default_rng(7)
        texts = ["".join(i[1] for i in serial(rng, "us", "CA")[1] if i[0] == "char") for _ in range(300)]
        usual = sum(len(t) == 7 and t[0].isdigit() and t[1:4].isalpha() and t[4:].isdigit() for t in texts)
        self.assertGreater(usual, 90)


if __name__ == "__main__":
    unittest.main()
