"""A trained mouth network in, the artefact that serving loads out: listen.onnx and its manifest."""

import hashlib
import json
import warnings
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from services.lipsync import mel
from services.lipsync.cancellation import Cancellation
from services.lipsync.pose import CONTROLS
from services.lipsync.sessions import Graph
from services.lipsync.training.finishing import CLOSURE, CONTACT_PEAK, SMOOTHING
from services.lipsync.training.mouth_examples import OFFSET_SECONDS, PATIENCE_COLUMNS, WINDOW_COLUMNS
from services.lipsync.training.mouth_network import MouthEnsemble, example_spectrograms

NAME = "visavis-mouth"
VERSION = "4.0.0"
CONTRACT = "pose/1"
GRAPH = "listen.onnx"
MANIFEST = "manifest.json"

_OPSET = 17
_LARGEST_DIFFERENCE = 1e-5
_SPECTROGRAMS_COMPARED = 16


class ExportDiffers(Exception):
    """The exported graph does not compute what the network computes; do not ship it."""


def export_mouth_network(network: MouthEnsemble, average_column: NDArray[np.float64], folder: Path) -> float:
    """Write listen.onnx and manifest.json; return the largest difference between torch and onnxruntime.

    `average_column` is that of the voices which the network was trained on. Raises ExportDiffers if the
    difference is above 1e-5.
    """
    folder.mkdir(parents=True, exist_ok=True)
    graph = folder / GRAPH
    with warnings.catch_warnings():
        # The exporter without torch.export is announced as old; it is the one that writes opset 17.
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.onnx.export(
            network, (example_spectrograms(),), str(graph), opset_version=_OPSET, dynamo=False,
            input_names=["mel"], output_names=["pose"],
            dynamic_axes={"mel": {0: "n", 2: "t"}, "pose": {0: "n", 2: "starts"}},
        )  # fmt: skip
    difference = _difference(network, graph)
    if difference > _LARGEST_DIFFERENCE:
        raise ExportDiffers(f"onnxruntime differs by {difference:.2e}, more than {_LARGEST_DIFFERENCE:.0e}")
    text = json.dumps(_manifest(average_column, hashlib.sha256(graph.read_bytes()).hexdigest()), indent=2)
    (folder / MANIFEST).write_text(text + "\n", encoding="utf-8")
    return difference


def _difference(network: MouthEnsemble, graph: Path) -> float:
    shape = (_SPECTROGRAMS_COMPARED, *example_spectrograms().shape[1:])
    heard = np.random.default_rng(0).uniform(-4.0, 4.0, shape).astype(np.float32)
    with torch.inference_mode():
        expected = network(torch.from_numpy(heard)).numpy()
    exported = Graph(graph.read_bytes(), ["CPUExecutionProvider"], graph.name).run(heard, Cancellation())
    return float(np.abs(exported - expected).max())


def _manifest(average_column: NDArray[np.float64], sha256: str) -> dict[str, object]:
    return {
        "name": NAME,
        "version": VERSION,
        "contract": CONTRACT,
        "fps": mel.FRAMES_PER_SECOND,
        "mel": {
            "sample_rate_hz": mel.SAMPLE_RATE_HZ,
            "hop_samples": mel.HOP_SAMPLES,
            "window_samples": mel.WINDOW_SAMPLES,
            "bands": mel.BANDS,
            "fmin_hz": int(mel.LOWEST_HZ),
            "fmax_hz": int(mel.HIGHEST_HZ),
            "preemphasis": mel.PREEMPHASIS,
            "columns": WINDOW_COLUMNS,
        },
        "offset_seconds": OFFSET_SECONDS,
        "controls": list(CONTROLS),
        "smoothing": list(SMOOTHING),
        "closure": {"from": CLOSURE.begins, "to": CLOSURE.complete},
        "contact_peak": {"from": CONTACT_PEAK.begins, "to": CONTACT_PEAK.complete},
        "levelling": {"average_column": average_column.tolist(), "patience_columns": PATIENCE_COLUMNS},
        "files": {"listen": {"path": GRAPH, "sha256": sha256}},
        "licence": "Apache-2.0",
        "source": "made by services/lipsync/training",
    }
