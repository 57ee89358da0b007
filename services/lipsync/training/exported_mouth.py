"""A waveform in, the poses that serving would draw out: the exported network, run just as serving runs it."""

import json
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from services.lipsync.mel import FRAMES_PER_SECOND, SAMPLE_RATE_HZ, mel_spectrogram, mel_windows
from services.lipsync.pose import ClosureGate, finished_poses


class ExportedMouth:
    """The network in a folder that holds a manifest.json and its listen.onnx."""

    def __init__(self, folder: Path) -> None:
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        graph = folder / manifest["files"]["listen"]["path"]
        self._session = onnxruntime.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])
        self._offset_seconds = float(manifest["offset_seconds"])
        self._smoothing = manifest["smoothing"]
        self.gate = ClosureGate(manifest["closure"]["from"], manifest["closure"]["to"])

    def poses(self, waveform: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the (N, 7) poses of a 16 kHz waveform at 25 fps, N = its whole frames."""
        frames = waveform.size * FRAMES_PER_SECOND // SAMPLE_RATE_HZ
        windows = mel_windows(mel_spectrogram(waveform), 0, frames, self._offset_seconds)
        raw = np.asarray(self._session.run(["pose"], {"mel": windows})[0], np.float32)
        return finished_poses(raw, self._smoothing, self.gate)
