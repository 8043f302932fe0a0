"""The passes of one camera: vehicle, path, time, speed."""
from dataclasses import dataclass
from typing import Optional

import numpy as np

from .car import Pose


@dataclass
class Pass:
    """A vehicle passing by (or parked). `time` s after the start:
    when its plate is `reference` metres away (a scene's value).

    going      "away": the camera sees the rear; "near": it comes towards the camera and shows its front; "stays"
    plate      (region, state, pattern), pattern None for a common serial of the state; None: no plate
    gain       acceleration, m/s2
    """

    time: float
    lane: float
    shape: str
    going: str
    plate: Optional[tuple]
    speed: float = 8.0
    gain: float = 0.0
    drift: float = 0.0  # amplitude of the wandering in the lane, metres
    paint: Optional[int] = None
    brake: bool = False
    distance: float = 0.0  # of the plate, for one that stays

    @property
    def side(self):
        return "front" if self.going == "near" else "rear"

    def reach(self, t, reference):
        """Distance of the plate along the road at second t."""
        if self.going == "stays":
            return self.distance
        dt = t - self.time
        way = self.speed * dt + 0.5 * self.gain * dt * dt
        return reference + way if self.going == "away" else reference - way

    def pose(self, t, reference, length) -> Pose:
        y = self.reach(t, reference)
        x = self.lane + self.drift * np.sin(0.25 * y + self.time)
        turn = np.degrees(np.arctan(self.drift * 0.25 * np.cos(0.25 * y + self.time)))
        heading = 180.0 - turn if self.going == "near" else turn
        return Pose(x, y + length / 2, heading, self.brake)
