"""A folder goes in, the networks in it that turn speech into poses of the mouth come out, checked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from services.lipsync import mel
from services.lipsync.manifests import ModelError, NetworkManifest, check_hash, read_manifest
from services.lipsync.pose import CONTROLS
from services.lipsync.sessions import Graph


@dataclass(frozen=True, slots=True)
class Network:
    """`listen`: mel windows (N, 1, 80, 16) to poses (N, 7), neither clipped nor smoothed nor gated."""

    manifest: NetworkManifest
    listen: Graph


def load_networks(models_dir: Path, providers: Sequence[str]) -> dict[str, Network]:
    """Every network in models_dir/networks, by name.

    Raises:
        ModelError: there is none, or one is incomplete, damaged or not of this contract.
    """
    directories = sorted(path.parent for path in (models_dir / "networks").glob("*/manifest.json"))
    if not directories:
        raise ModelError(
            f"There is no network in {models_dir / 'networks'}. Set LIPSYNC_MODELS_DIR, or run `make train`."
        )
    networks = [load_network(directory, providers) for directory in directories]
    return {network.manifest.name: network for network in networks}


def load_network(directory: Path, providers: Sequence[str]) -> Network:
    """The network in `directory`; `providers` are onnxruntime's names.

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
    listen.check_contract(("mel", (1, mel.BANDS, mel.COLUMNS_PER_WINDOW)), ("pose", (len(CONTROLS),)))
    return Network(manifest, listen)
