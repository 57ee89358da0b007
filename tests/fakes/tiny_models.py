"""A folder goes in, a network and an avatar of the real contracts come out, made in a moment.

The network opens the jaw as far as the sound is loud; the avatar's mouth is a flat colour whose brightness
is the jaw, so that a picture shows what was heard.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

SIZE_PX = 32
LOOP_FRAMES = 16
WIDTH_PX, HEIGHT_PX = 128, 96
# The crop's corner in the first frame of the loop; it moves by half a pixel per frame.
MOUTH_X, MOUTH_Y = 48.0, 48.0
CONTROLS = ("jaw", "round", "wide", "press", "lip_teeth", "teeth", "tongue")


def write_tiny_models(models_dir: Path) -> Path:
    """models_dir/networks/tiny and models_dir/avatars/dot; returns models_dir."""
    write_tiny_network(models_dir / "networks" / "tiny")
    write_tiny_avatar(models_dir / "avatars" / "dot")
    return models_dir


def write_tiny_network(directory: Path, columns: int = 16) -> None:
    directory.mkdir(parents=True)
    graph = listen_graph(columns)
    (directory / "listen.onnx").write_bytes(graph)
    manifest = network_manifest(directory.name)
    manifest["mel"]["columns"] = columns
    manifest["files"]["listen"]["sha256"] = _sha256(graph)
    (directory / "manifest.json").write_text(json.dumps(manifest))


def network_manifest(name: str = "tiny") -> dict[str, Any]:
    return {
        "name": name,
        "version": "1.0.0",
        "contract": "pose/1",
        "fps": 25,
        "mel": {
            "sample_rate_hz": 16000,
            "hop_samples": 200,
            "window_samples": 800,
            "bands": 80,
            "fmin_hz": 55,
            "fmax_hz": 7600,
            "preemphasis": 0.97,
            "columns": 16,
        },
        "offset_seconds": -0.08,
        "controls": list(CONTROLS),
        "smoothing": [0.15, 0.7, 0.15],
        "closure": {"from": 0.12, "to": 0.62},
        "files": {"listen": {"path": "listen.onnx", "sha256": "0" * 64}},
        "licence": "Apache-2.0",
        "source": "made by a test",
    }


def listen_graph(columns: int = 16) -> bytes:
    """Jaw = (mean mel of a window + 4) / 4, everything else 0."""
    weights = np.zeros((7, 80, columns), np.float32)
    weights[0] = 1 / (80 * columns * 4)
    bias = np.zeros(7, np.float32)
    bias[0] = 1.0
    nodes = [helper.make_node("Conv", ["mel", "weights", "bias"], ["pose"])]
    return _graph(nodes, {"weights": weights, "bias": bias}, ("mel", [80, "t"]), ("pose", [7, "starts"]))


def speak_graph(size_px: int = SIZE_PX) -> bytes:
    """Every pixel of the mouth is grey, as bright as the jaw."""
    weights = np.zeros((7, 3), np.float32)
    weights[0] = 1.0
    constants = {
        "weights": weights,
        "shape": np.array([-1, 3, 1, 1], np.int64),
        "area": np.zeros((1, 1, size_px, size_px), np.float32),
        "low": np.float32(0),
        "high": np.float32(1),
    }
    nodes = [
        helper.make_node("MatMul", ["pose", "weights"], ["colour"]),
        helper.make_node("Reshape", ["colour", "shape"], ["pixel"]),
        helper.make_node("Add", ["pixel", "area"], ["wide"]),
        helper.make_node("Clip", ["wide", "low", "high"], ["mouth"]),
    ]
    return _graph(nodes, constants, ("pose", [7]), ("mouth", [3, size_px, size_px]))


def slow_graph(seconds_of_work: int) -> bytes:
    """A speak graph that multiplies large matrices first: about so many seconds, inside one call."""
    constants = {
        "square": np.full((1024, 1024), 1 / 1024, np.float32),
        "zero": np.float32(0),
        "trips": np.int64(seconds_of_work * 50),
        "go": np.array([1], bool)[0],
        "weights": np.zeros((7, 3), np.float32),
        "shape": np.array([-1, 3, 1, 1], np.int64),
        "area": np.zeros((1, 1, SIZE_PX, SIZE_PX), np.float32),
    }
    body = helper.make_graph(
        [
            helper.make_node("MatMul", ["before", "square"], ["after"]),
            helper.make_node("Identity", ["going"], ["still"]),
        ],
        "body",
        [
            helper.make_tensor_value_info("trip", TensorProto.INT64, []),
            helper.make_tensor_value_info("going", TensorProto.BOOL, []),
            helper.make_tensor_value_info("before", TensorProto.FLOAT, [1024, 1024]),
        ],
        [
            helper.make_tensor_value_info("still", TensorProto.BOOL, []),
            helper.make_tensor_value_info("after", TensorProto.FLOAT, [1024, 1024]),
        ],
    )
    nodes = [
        helper.make_node("Loop", ["trips", "go", "square"], ["worked"], body=body),
        helper.make_node("ReduceMean", ["worked"], ["mean"], keepdims=0),
        helper.make_node("Mul", ["mean", "zero"], ["nothing"]),
        helper.make_node("MatMul", ["pose", "weights"], ["colour"]),
        helper.make_node("Reshape", ["colour", "shape"], ["pixel"]),
        helper.make_node("Add", ["pixel", "area"], ["wide"]),
        helper.make_node("Add", ["wide", "nothing"], ["mouth"]),
    ]
    return _graph(nodes, constants, ("pose", [7]), ("mouth", [3, SIZE_PX, SIZE_PX]))


def write_tiny_avatar(directory: Path, speak: bytes | None = None) -> None:
    directory.mkdir(parents=True)
    for name, data in avatar_files(directory.name, speak).items():
        (directory / name).write_bytes(data)


def avatar_files(avatar_id: str, speak: bytes | None = None) -> dict[str, bytes]:
    """The files of a bundle by name, manifest.json included."""
    files = {
        "loop.mp4": _loop_video(),
        "speak.onnx": speak or speak_graph(),
        "poster.jpg": b"\xff\xd8\xff\xd9",
    }
    manifest = avatar_manifest(avatar_id)
    for key, name in (("loop", "loop.mp4"), ("speak", "speak.onnx"), ("poster", "poster.jpg")):
        manifest["files"][key] = {"path": name, "sha256": _sha256(files[name])}
    return {**files, "manifest.json": json.dumps(manifest).encode()}


def avatar_manifest(avatar_id: str = "dot") -> dict[str, Any]:
    placement = [[1.0, 0.0, MOUTH_X + 0.5 * i, 0.0, 1.0, MOUTH_Y] for i in range(LOOP_FRAMES)]
    return {
        "id": avatar_id,
        "name": avatar_id.title(),
        "version": "1.0.0",
        "contract": "avatar/1",
        "width_px": WIDTH_PX,
        "height_px": HEIGHT_PX,
        "fps": 25,
        "loop_frames": LOOP_FRAMES,
        "mouth": {"contract": "pose/1", "size_px": SIZE_PX, "feather_px": 4, "placement": placement},
        "face_box_px": [32, 16, 64, 72],
        "files": {
            name: {"path": path, "sha256": "0" * 64}
            for name, path in (("loop", "loop.mp4"), ("speak", "speak.onnx"), ("poster", "poster.jpg"))
        },
        "licence": "CC0-1.0",
        "synthetic": True,
        "source": "made by a test",
    }


def zipped(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def bundle_hash(files: dict[str, bytes]) -> str:
    return _sha256(files["manifest.json"])


def loop_pictures() -> NDArray[np.uint8]:
    """(frames, height, width) brightness: a bar that walks to the right, its position names the frame."""
    pictures = np.full((LOOP_FRAMES, HEIGHT_PX, WIDTH_PX), 60, np.uint8)
    for number in range(LOOP_FRAMES):
        pictures[number, :16, number * 8 : number * 8 + 8] = 200
    return pictures


def _loop_video() -> bytes:
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as container:
        stream = container.add_stream("libx264", 25, options={"crf": "4", "x264-params": "threads=1"})
        stream.width, stream.height, stream.pix_fmt = WIDTH_PX, HEIGHT_PX, "yuv420p"
        for number, luma in enumerate(loop_pictures()):
            planes = np.full((HEIGHT_PX * 3 // 2, WIDTH_PX), 128, np.uint8)
            planes[:HEIGHT_PX] = luma
            picture = av.VideoFrame.from_ndarray(planes, format="yuv420p")
            picture.pts, picture.time_base = number, Fraction(1, 25)
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    return buffer.getvalue()


def _graph(
    nodes: list[onnx.NodeProto],
    constants: dict[str, Any],
    inputs: tuple[str, list[int | str]],
    outputs: tuple[str, list[int | str]],
) -> bytes:
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info(inputs[0], TensorProto.FLOAT, ["n", *inputs[1]])],
        [helper.make_tensor_value_info(outputs[0], TensorProto.FLOAT, ["n", *outputs[1]])],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    return model.SerializeToString()


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
