"""The cascade in Python, its calibration and its accuracy."""
