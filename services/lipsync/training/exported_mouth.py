"""A waveform in, the poses that serving draws for it out: the exported network, run by serving's own code."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from services.lipsync.cancellation import Cancellation
from services.lipsync.listening import PoseTrack
from services.lipsync.mel import FRAMES_PER_SECOND, SAMPLE_RATE_HZ
from services.lipsync.networks import load_pose_network
from services.lipsync.pose import CONTROLS, ClosureGate, finished_poses
from services.lipsync.schedule import FRAMES_PER_UNIT


class ExportedMouth:
    """The network in a folder that holds a manifest.json and its listen.onnx. Raises ModelError."""

    def __init__(self, folder: Path) -> None:
        self._network = load_pose_network(folder, ["CPUExecutionProvider"])

    def finished(self, raw: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return (N, 7) raw poses of a whole utterance, clipped, smoothed and gated as the manifest says."""
        manifest = self._network.manifest
        closure, peak = manifest.closure, manifest.contact_peak
        return finished_poses(
            raw,
            manifest.smoothing,
            ClosureGate(closure.from_, closure.to),
            ClosureGate(peak.from_, peak.to) if peak else None,
        )

    def poses(self, waveform: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the (N, 7) poses of a 16 kHz waveform at 25 fps, N = its whole frames."""
        frames = waveform.size * FRAMES_PER_SECOND // SAMPLE_RATE_HZ
        padded_frames = -(-frames // FRAMES_PER_UNIT) * FRAMES_PER_UNIT
        track = PoseTrack(self._network, waveform, padded_frames, Cancellation())
        units = [track.poses(first) for first in range(0, padded_frames, FRAMES_PER_UNIT)]
        return np.concatenate([np.empty((0, len(CONTROLS)), np.float32), *units])[:frames]
