"""Folders go in, the networks in them come out by name, checked: those that shipped, and imported ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np
from pydantic import BaseModel

from services.lipsync import mel
from services.lipsync.cancellation import Cancellation
from services.lipsync.manifests import POSE_CONTRACT, ModelError, NetworkManifest, check_hash, read_manifest
from services.lipsync.pose import CONTROLS
from services.lipsync.sessions import Graph
from services.lipsync.wav2lip_network import Wav2LipNetwork, load_wav2lip_network


@dataclass(frozen=True, slots=True)
class PoseNetwork:
    """`listen`: mel spectrograms (N, 80, T) to poses (N, 7, T - C + 1), not clipped, smoothed or gated.

    One pose for every column at which a window of C columns may begin: the manifest says how many C is, and
    which of the poses are those of frames.
    """

    manifest: NetworkManifest
    listen: Graph


Network: TypeAlias = PoseNetwork | Wav2LipNetwork


class _AnyManifest(BaseModel):
    contract: Literal["pose/1", "wav2lip/1"]


def load_networks(folders: Sequence[Path], providers: Sequence[str]) -> dict[str, Network]:
    """Every network in a sub-folder of `folders`, by name.

    Raises:
        ModelError: there is none, two share a name, or one is incomplete, damaged or of no known contract.
    """
    directories = [path.parent for folder in folders for path in sorted(folder.glob("*/manifest.json"))]
    if not directories:
        raise ModelError(f"There is no network in {folders[0]}. Set LIPSYNC_MODELS_DIR, or run `make train`.")
    networks: dict[str, Network] = {}
    for directory in directories:
        network = load_network(directory, providers)
        if network.manifest.name in networks:
            raise ModelError(f"Two networks are called {network.manifest.name}. Remove {directory}.")
        networks[network.manifest.name] = network
    return networks


def load_network(directory: Path, providers: Sequence[str]) -> Network:
    """The network in `directory`; `providers` are onnxruntime's names.

    Raises:
        ModelError: it is incomplete, damaged or of no known contract.
    """
    data = (directory / "manifest.json").read_bytes()
    contract = read_manifest(_AnyManifest, data, f"Network {directory.name}").contract
    if contract == POSE_CONTRACT:
        return load_pose_network(directory, providers)
    return load_wav2lip_network(directory, providers)


def load_pose_network(directory: Path, providers: Sequence[str]) -> PoseNetwork:
    """The network of the contract pose/1 in `directory`.

    Raises:
        ModelError: it is incomplete, damaged or not of this contract.
    """
    where = f"Network {directory.name}"
    manifest = read_manifest(NetworkManifest, (directory / "manifest.json").read_bytes(), where)
    path = directory / manifest.files.listen.path
    if not path.is_file():
        raise ModelError(f"{where}: {path.name} is missing. Fetch the network again, or run `make train`.")
    model = check_hash(manifest.files.listen, path.read_bytes(), where)
    listen = Graph(model, providers, f"{where}: {path.name}")
    listen.check_contract(("mel", (mel.BANDS, "T")), ("pose", (len(CONTROLS), "T - C + 1")))
    _check_window(listen, manifest.mel.columns, f"{where}: {path.name}")
    return PoseNetwork(manifest, listen)


def _check_window(listen: Graph, columns: int, where: str) -> None:
    window = np.full((1, mel.BANDS, columns), mel.SILENCE, np.float32)
    try:
        shape = list(listen.run(window, Cancellation()).shape)
    except Exception as error:
        raise ModelError(f"{where} cannot take the manifest's windows of {columns} columns.") from error
    if shape != [1, len(CONTROLS), 1]:
        raise ModelError(
            f"{where} makes poses {shape} of a window of {columns} columns, which the manifest says it has; "
            f"the contract asks for [1, {len(CONTROLS)}, 1]. Export it again."
        )
