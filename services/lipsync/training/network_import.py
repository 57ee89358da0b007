"""A checkpoint or a whole ONNX graph goes in, a folder that serving loads comes out, compared with it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from services.lipsync.cancellation import Cancellation
from services.lipsync.manifests import ModelError
from services.lipsync.sessions import Session
from services.lipsync.training.checkpoint_tensors import PICKLE_MAGIC, ZIP_MAGIC, read_checkpoint
from services.lipsync.training.refusal import CheckpointRefused
from services.lipsync.training.wav2lip_graphs import listen_graph, look_graph, speak_graph, whole_graph
from services.lipsync.training.wav2lip_joints import FIRST_ROW
from services.lipsync.training.wav2lip_weights import checkpoint_weights
from services.lipsync.training.whole_onnx import WholeNetwork, whole_network
from services.lipsync.wav2lip_manifest import WAV2LIP_CONTRACT, served_mel

LARGEST_DIFFERENCE = 2e-5
# Protobuf, and so ONNX, ends at 2 GiB; checkpoints with their optimiser's state take under 500 MB.
LARGEST_FILE_BYTES = 2 << 30

_LFS_POINTER = b"version https://git-lfs"
_BATCHES, _BATCH = 4, 4
_CPU = ["CPUExecutionProvider"]
_HEAD_BYTES = 512


@dataclass(frozen=True, slots=True)
class Description:
    """What the file does not say of itself. See `Wav2LipManifest`."""

    name: str
    fmin_hz: float
    offset_seconds: float
    licence: str


@dataclass(frozen=True, slots=True)
class Imported:
    """`difference` is the largest between any pixel of the split network and of the original, of 0..1."""

    folder: Path
    difference: float


def imported_network(file: Path, description: Description, folder: Path) -> Imported:
    """Writes listen.onnx, look.onnx, speak.onnx and manifest.json to `folder`, or nothing at all.

    Raises:
        CheckpointRefused: the file is no Wav2Lip-contract network, or differs from it by more than 2e-5.
    """
    original, network = _read(file)
    graphs = {
        "listen": listen_graph(network.weights),
        "look": look_graph(network.weights),
        "speak": speak_graph(network.weights),
    }
    difference = _difference(original, network, graphs)
    if not difference <= LARGEST_DIFFERENCE:
        raise CheckpointRefused(
            f"The imported network differs from the original by {difference:.1e}, more than "
            f"{LARGEST_DIFFERENCE:.0e}: the file holds something else than a 32-bit Wav2Lip network."
        )
    folder.mkdir(parents=True)
    for name, graph in graphs.items():
        (folder / f"{name}.onnx").write_bytes(graph)
    (folder / "manifest.json").write_text(_manifest(description, graphs, difference), encoding="utf-8")
    return Imported(folder, difference)


def _read(file: Path) -> tuple[bytes, WholeNetwork]:
    """The whole network as an ONNX graph, and its parts."""
    with file.open("rb") as stream:
        head = stream.read(_HEAD_BYTES)
    if not head:
        raise CheckpointRefused("The file is empty.")
    if head.startswith(_LFS_POINTER):
        raise CheckpointRefused(
            "The file is a Git LFS pointer, which only names the checkpoint. Fetch the file: git lfs pull."
        )
    if _is_text(head):
        raise CheckpointRefused(
            "The file is text, perhaps a web page that was saved in place of a download. Fetch it again."
        )
    if file.stat().st_size > LARGEST_FILE_BYTES:
        raise CheckpointRefused("The file is larger than 2 GiB; no Wav2Lip network is.")
    if head.startswith((ZIP_MAGIC, PICKLE_MAGIC)):
        weights = checkpoint_weights(read_checkpoint(file))
        return whole_graph(weights), WholeNetwork("mel", "faces", "mouth", weights)
    data = file.read_bytes()
    return data, whole_network(data)


def _is_text(head: bytes) -> bool:
    # The last character may have been cut in two.
    text = head.decode("utf-8", "ignore")
    return len(text.encode()) > len(head) - 4 and all(one.isprintable() or one.isspace() for one in text)


def _difference(original: bytes, network: WholeNetwork, graphs: Mapping[str, bytes]) -> float:
    try:
        whole = Session(original, _CPU, "The original", optimised=False)
    except ModelError as error:
        raise CheckpointRefused(f"{error}") from None
    listen, look, speak = (
        Session(graphs[name], _CPU, f"{name}.onnx") for name in ("listen", "look", "speak")
    )
    go_on = Cancellation()
    random = np.random.default_rng(0)
    largest = 0.0
    for _ in range(_BATCHES):
        mel = random.uniform(-4, 4, (_BATCH, 1, 80, 16)).astype(np.float32)
        # Faces of every brightness and contrast; the masked half is seen as any other.
        contrast, brightness = random.uniform(0, 1, (2, 6, 1, 1))
        noise = random.uniform(-0.5, 0.5, (1, 6, 96, 96))
        face = np.clip(noise * contrast + brightness, 0, 1).astype(np.float32)
        faces = np.repeat(face, _BATCH, axis=0)
        expected = whole.run({network.mel: mel, network.faces: faces}, go_on)[network.mouth]
        speech = listen.run({"mel": mel}, go_on)
        drawn = speak.run({**speech, **look.run({"faces": face}, go_on)}, go_on)["mouth"]
        largest = max(largest, float(np.abs(drawn - expected[:, :, FIRST_ROW:]).max()))
        if not np.isfinite(largest):
            break
    return largest


def _manifest(description: Description, graphs: Mapping[str, bytes], difference: float) -> str:
    files = {
        name: {"path": f"{name}.onnx", "sha256": hashlib.sha256(graph).hexdigest()}
        for name, graph in graphs.items()
    }
    manifest = {
        "name": description.name,
        "version": "1.0.0",
        "contract": WAV2LIP_CONTRACT,
        "fps": 25,
        "mel": served_mel(description.fmin_hz).model_dump(),
        "offset_seconds": description.offset_seconds,
        "files": files,
        "licence": description.licence,
        "source": f"imported from a checkpoint; differs from it by at most {difference:.1e}",
    }
    return json.dumps(manifest, indent=2) + "\n"
