"""An utterance's waveform goes in, the poses of its mouth come out, a few frames at a time, when needed."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from services.lipsync.cancellation import Cancellation
from services.lipsync.levelling import levelled
from services.lipsync.mel import mel_columns, mel_spectrogram, window_starts
from services.lipsync.networks import PoseNetwork
from services.lipsync.pose import ClosureGate, finished_poses
from services.lipsync.schedule import FRAMES_PER_UNIT
from services.lipsync.timings import step


class PoseTrack:
    """The mouth of one utterance. Frames are heard in units of 8: other lengths give other last bits."""

    def __init__(
        self, network: PoseNetwork, waveform: NDArray[np.float32], frames: int, cancellation: Cancellation
    ) -> None:
        """`waveform` is 16 kHz; `frames`, a multiple of 8, is its length at 25 fps."""
        self._network = network
        self.cancellation = cancellation
        self._units = frames // FRAMES_PER_UNIT
        closure, peak = network.manifest.closure, network.manifest.contact_peak
        self._gate = ClosureGate(closure.from_, closure.to)
        self._peak_gate = ClosureGate(peak.from_, peak.to) if peak else None
        self._heard: dict[int, NDArray[np.float32]] = {}
        with step("mel"):
            self._spectrogram = mel_spectrogram(waveform)
            if (levelling := network.manifest.levelling) is not None:
                self._spectrogram = levelled(
                    self._spectrogram, levelling.average_column, levelling.patience_columns
                )

    def poses(self, first_frame: int) -> NDArray[np.float32]:
        """The (8, 7) finished poses from `first_frame` on, a multiple of 8.

        Raises:
            Cancelled: the render was cancelled.
        """
        unit = first_frame // FRAMES_PER_UNIT
        # Smoothing and peaks reach into the neighbours, by less than a unit (the manifest's bound).
        first, last = max(unit - 1, 0), min(unit + 1, self._units - 1)
        raw = np.concatenate([self._raw(number) for number in range(first, last + 1)])
        finished = finished_poses(raw, self._network.manifest.smoothing, self._gate, self._peak_gate)
        begin = (unit - first) * FRAMES_PER_UNIT
        self._heard.pop(unit - 1, None)
        return finished[begin : begin + FRAMES_PER_UNIT]

    def _raw(self, unit: int) -> NDArray[np.float32]:
        if unit not in self._heard:
            with step("listen"):
                manifest = self._network.manifest
                starts = window_starts(unit * FRAMES_PER_UNIT, FRAMES_PER_UNIT, manifest.offset_seconds)
                end = int(starts[-1]) + manifest.mel.columns
                heard = mel_columns(self._spectrogram, int(starts[0]), end)
                (poses,) = self._network.listen.run(heard[None], self.cancellation)
                self._heard[unit] = poses[:, starts - starts[0]].T
        return self._heard[unit]
