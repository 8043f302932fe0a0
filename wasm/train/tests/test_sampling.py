"""The sampling rule: pyramid, windows, quads."""
import unittest

import numpy as np

from eval.sampling import Pyramid, coarse_size, normalise


class SamplingTest(unittest.TestCase):
    def test_levels(self):
        sizes = [l.shape for l in Pyramid(np.zeros((720, 1281), np.uint8)).levels]
        self.assertEqual(sizes, [(720, 1281), (360, 640), (180, 320), (90, 160), (45, 80)])

    def test_window_of_the_whole_frame_is_the_frame(self):
        image = np.random.default_rng(1).integers(0, 256, (40, 60), dtype=np.uint8)
        np.testing.assert_allclose(Pyramid(image).window(0, 0, 60, 40, 60, 40), image, atol=1e-4)

    def test_quad_of_a_box_is_the_window(self):
        image = np.random.default_rng(2).integers(0, 256, (200, 300), dtype=np.uint8)
        p = Pyramid(image)
        box = np.float64([[20, 30], [180, 30], [180, 78], [20, 78]])
        np.testing.assert_allclose(p.quad(box, 160, 48), p.window(20, 30, 160, 48, 160, 48), atol=1e-2)

    def test_coarse_sizes_stay_under_the_area(self):
        rng = np.random.default_rng(3)
        for _ in range(500):
            w, h = rng.integers(32, 8193, 2)
            ow, oh = coarse_size(w, h, 320 * 192)
            self.assertEqual((ow % 16, oh % 16), (0, 0))
            self.assertGreaterEqual(min(ow, oh), 32)
            if max(ow, oh) > 32:
                self.assertLessEqual(ow * oh, max(320 * 192, 32 * max(ow, oh)))

    def test_flat_input_is_zero(self):
        self.assertEqual(np.abs(normalise(np.full((4, 4), 77.0))).max(), 0)


if __name__ == "__main__":
    unittest.main()
