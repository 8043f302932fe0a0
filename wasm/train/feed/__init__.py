"""Recorded traffic, drawn by a program: cameras, roads, cars, plates, and the truth about all of it.

    python3 -m feed.make_feed --out FOLDER --seed N      see make_feed.py

World coordinates of a scene, in metres: x to the right, y away from the camera along the road, z up from the road.
Light is linear until the lens (`lens.py`) turns it into 8-bit pictures.
"""
