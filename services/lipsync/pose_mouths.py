"""Speech goes in, poses are heard in it, and the avatar's own `speak` draws them: contract pose/1."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from services.lipsync.avatars import Avatar
from services.lipsync.cancellation import Cancellation
from services.lipsync.listening import PoseTrack
from services.lipsync.networks import PoseNetwork
from services.lipsync.timings import step


class PoseMouths:
    """See `Mouths`."""

    def __init__(
        self,
        network: PoseNetwork,
        avatar: Avatar,
        waveform: NDArray[np.float32],
        frames: int,
        cancellation: Cancellation,
    ) -> None:
        """`waveform` is 16 kHz; `frames`, a multiple of 8, is its length at 25 fps."""
        self.compositor = avatar.compositor
        self._speak = avatar.speak
        self._track = PoseTrack(network, waveform, frames, cancellation)

    def unit(self, first_frame: int) -> NDArray[np.float32]:
        """See `Mouths`."""
        poses = self._track.poses(first_frame)
        with step("speak"):
            return self._speak.run(poses, self._track.cancellation)
