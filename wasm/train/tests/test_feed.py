"""The renderer of recorded traffic: the geometry behind the truth, and lists without accidental hits."""
import unittest

import numpy as np

from feed import hotlists
from feed.body import SHAPES, body_mesh, solid
from feed.cameras import all_scenes
from feed.raster import rasterise
from feed.view import HEIGHT, View


class GeometryTest(unittest.TestCase):
    def test_road_points_come_back_from_the_picture(self):
        view = View((1.0, 0.0, 2.5), 3000, -6.0, 120)
        x, y, _ = view.ground()
        u, v, _ = view.project(np.array([x[600, 500], y[600, 500], 0.0]))
        self.assertAlmostEqual(float(u), 500.5, places=3)
        self.assertAlmostEqual(float(v), 600.5, places=3)
        self.assertTrue(np.isinf(y[0]).all(), "above the horizon there is no road")
        self.assertTrue(np.isfinite(y[HEIGHT - 1]).all())

    def test_a_plate_is_as_wide_as_its_distance_says(self):
        view = View((0, 0, 2), 4000)
        u, _, depth = view.project(np.array([[-0.1525, 20, 0.8], [0.1525, 20, 0.8]]))
        self.assertAlmostEqual(u[1] - u[0], 4000 * 0.305 / depth[0], places=6)

    def test_the_nearer_triangle_wins_and_backs_are_not_seen(self):
        u, v = np.array([0, 10, 0, 0, 10, 0.0]), np.array([0, 0, 10, 0, 0, 10.0])
        depth = np.array([5, 5, 5, 3, 3, 3.0])
        index, weights = rasterise(u, v, depth, np.array([[3, 4, 5], [0, 1, 2]]), 12, 12)
        self.assertEqual(index[1, 1], 0)
        self.assertEqual(index[11, 11], -1)
        self.assertAlmostEqual(float(weights[1, 1].sum()), 1, places=5)
        back, _ = rasterise(u, v, depth, np.array([[3, 5, 4]]), 12, 12)
        self.assertTrue((back == -1).all())

    def test_bodies_are_whole_and_of_their_size(self):
        for name, shape in SHAPES.items():
            points, normals, _ = body_mesh(name, 16)
            self.assertLess(np.abs(solid(shape, points)).max(), 0.01, name)
            self.assertAlmostEqual(np.ptp(points[:, 1]), shape.length, delta=0.15, msg=name)
            self.assertAlmostEqual(points[:, 2].max(), shape.height, delta=0.12, msg=name)
            np.testing.assert_allclose(np.linalg.norm(normals, axis=1), 1, atol=1e-6)


class TrafficTest(unittest.TestCase):
    def test_passes_are_at_the_reference_at_their_time(self):
        for scene in all_scenes():
            self.assertRegex(scene.record["id"], r"^[a-z0-9-]{1,64}$")
            for go in scene.passes:
                if go.going != "stays":
                    self.assertEqual(go.reach(go.time, scene.reference), scene.reference)
                    ahead = go.reach(go.time + 1, scene.reference) - scene.reference
                    self.assertEqual(ahead > 0, go.going == "away")


class HotlistTest(unittest.TestCase):
    PLATES = [
        "5VVF510",
        "1KAS158",
        "7YUB522",
        "6NDD069",
        "8SYK026",
        "3EZA095",
        "7YAA328",
        "1ELY446",
        "4KRC006",
        "9NVJ135",
    ]

    def make(self):
        passes = [{"camera": f"c{k % 3}", "plate": p, "region": "us", "state": "CA"} for k, p in enumerate(self.PLATES)]
        return hotlists.make(np.random.default_rng(1), passes)

    def test_hits_are_listed_and_decoys_keep_their_distance(self):
        lists, hits = self.make()
        self.assertEqual(len(hits), 8)
        expected = {(h["list"], h["listed"]) for h in hits}
        for name, rows in lists.items():
            for plate, _, _ in rows:
                if (name, plate) not in expected:
                    near = min(hotlists.distance(hotlists.fold(plate), hotlists.fold(p)) for p in self.PLATES)
                    self.assertGreaterEqual(near, hotlists.MARGIN)
        for h in hits:
            different = sum(a != b for a, b in zip(h["plate"], h["listed"]))
            self.assertEqual(different, 1 if h["match"] == "tolerant" else 0)

    def test_same_seed_same_lists(self):
        self.assertEqual(self.make(), self.make())


if __name__ == "__main__":
    unittest.main()
