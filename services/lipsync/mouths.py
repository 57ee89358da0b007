"""Speech, a network and an avatar go in, the avatar's mouths while it speaks come out."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from services.lipsync.avatars import Avatar
from services.lipsync.cancellation import Cancellation
from services.lipsync.compositor import Compositor
from services.lipsync.networks import Network, PoseNetwork
from services.lipsync.pose_mouths import PoseMouths
from services.lipsync.wav2lip_mouths import Wav2LipMouths


class Mouths(Protocol):
    """The mouths of one utterance, whatever kind of network draws them."""

    @property
    def compositor(self) -> Compositor:
        """Puts them onto the avatar's frames."""

    def unit(self, first_frame: int) -> NDArray[np.float32]:
        """(8, 3, height, width), RGB in 0..1, from `first_frame` on, a multiple of 8. Raises Cancelled."""


def mouths(
    network: Network,
    avatar: Avatar,
    waveform: NDArray[np.float32],
    frames: int,
    cancellation: Cancellation,
) -> Mouths:
    """`waveform` is 16 kHz; `frames`, a multiple of 8, is its length at 25 fps. Raises Cancelled."""
    if isinstance(network, PoseNetwork):
        return PoseMouths(network, avatar, waveform, frames, cancellation)
    return Wav2LipMouths(network, avatar, waveform, cancellation)
