"""Speech goes in, an imported network draws the lower half of the avatar's face: contract wav2lip/1."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from services.lipsync.avatars import Avatar
from services.lipsync.cancellation import Cancellation
from services.lipsync.mel import mel_filters, mel_spectrogram, mel_windows
from services.lipsync.schedule import FRAMES_PER_UNIT
from services.lipsync.timings import step
from services.lipsync.wav2lip_network import Wav2LipNetwork

# Larger batches leave the processor's caches: 4 was as fast as 8, and a cancelled render stops sooner.
_BATCH = 4


class Wav2LipMouths:
    """See `Mouths`."""

    def __init__(
        self,
        network: Wav2LipNetwork,
        avatar: Avatar,
        waveform: NDArray[np.float32],
        cancellation: Cancellation,
    ) -> None:
        """`waveform` is 16 kHz. Raises Cancelled."""
        self._network = network
        self._cancellation = cancellation
        self._face = network.face(avatar, cancellation)
        self.compositor = self._face.compositor
        with step("mel"):
            self._spectrogram = mel_spectrogram(waveform, mel_filters(lowest_hz=network.manifest.mel.fmin_hz))

    def unit(self, first_frame: int) -> NDArray[np.float32]:
        """See `Mouths`."""
        offset_seconds = self._network.manifest.offset_seconds
        windows = mel_windows(self._spectrogram, first_frame, FRAMES_PER_UNIT, offset_seconds)
        with step("listen"):
            speech = self._network.listen.run(windows, self._cancellation)
        with step("speak"):
            batches = np.split(speech, FRAMES_PER_UNIT // _BATCH)
            drawn = [self._network.mouths(batch, self._face, self._cancellation) for batch in batches]
        return np.concatenate(drawn)
