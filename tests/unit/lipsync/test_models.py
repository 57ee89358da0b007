"""What a worker says about networks and avatars that it cannot serve, before it serves anything."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from services.lipsync.avatars import folder_bundle, load_avatar
from services.lipsync.manifests import AvatarManifest, ModelError, NetworkManifest, read_manifest
from services.lipsync.networks import load_network, load_networks
from services.lipsync.sessions import Graph, execution_providers
from services.lipsync.settings import LipsyncSettings
from services.lipsync.worker import lipsync_service
from tests.fakes import tiny_models

CPU = execution_providers(["cpu"])
Change = Callable[[dict[str, Any]], object]


@pytest.fixture
def models_dir(tmp_path: Path) -> Path:
    return tiny_models.write_tiny_models(tmp_path)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda m: m.update(contract="pose/2"), "contract"),
        (lambda m: m.update(fps=30), "fps"),
        (lambda m: m["mel"].update(fmin_hz=95), "mel must be"),
        (lambda m: m["controls"].reverse(), "in this order"),
        (lambda m: m.update(smoothing=[0.5, 0.5]), "odd number"),
        (lambda m: m.update(closure={"from": 0.7, "to": 0.6}), "closure.to"),
        (
            lambda m: m.update(levelling={"average_column": [0.0] * 79, "patience_columns": 1}),
            "levelling.average_column",
        ),
        (lambda m: m["files"]["listen"].update(path="../listen.onnx"), "files.listen.path"),
        (lambda m: m.pop("licence"), "licence"),
    ],
)
def test_a_network_manifest_that_cannot_be_served_names_the_field(change: Change, words: str) -> None:
    manifest = tiny_models.network_manifest()
    change(manifest)

    with pytest.raises(ModelError, match="Network tiny: ") as caught:
        read_manifest(NetworkManifest, json.dumps(manifest).encode(), "Network tiny")
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda m: m.update(contract="avatar/2"), "contract"),
        (lambda m: m.update(width_px=127), "width_px"),
        (lambda m: m["mouth"]["placement"].pop(), "one entry for each of 16"),
        (lambda m: m["mouth"]["placement"][0].pop(), "mouth.placement.0"),
        (lambda m: m["mouth"].update(size_px=40), "mouth.size_px"),
        (lambda m: m["mouth"].update(feather_px=17), "half of"),
        (lambda m: m["mouth"].update(contract="pose/9"), "mouth.contract"),
        (lambda m: m.update(id="Up/There"), "id"),
    ],
)
def test_an_avatar_manifest_that_cannot_be_served_names_the_field(change: Change, words: str) -> None:
    manifest = tiny_models.avatar_manifest()
    change(manifest)

    with pytest.raises(ModelError, match="Avatar dot: ") as caught:
        read_manifest(AvatarManifest, json.dumps(manifest).encode(), "Avatar dot")
    assert words in str(caught.value)


def test_a_loop_that_would_fill_the_memory_is_refused() -> None:
    manifest = tiny_models.avatar_manifest()
    manifest.update(width_px=1920, height_px=1080, loop_frames=1500)
    manifest["mouth"]["placement"] = [[1, 0, 0, 0, 1, 0]] * 1500

    with pytest.raises(ModelError, match="at most 268435456 bytes"):
        read_manifest(AvatarManifest, json.dumps(manifest).encode(), "Avatar dot")


def test_a_folder_without_networks_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"There is no network in .* LIPSYNC_MODELS_DIR"):
        load_networks([tmp_path], CPU)


def test_a_changed_graph_is_called_damaged(models_dir: Path) -> None:
    graph = models_dir / "networks" / "tiny" / "listen.onnx"
    graph.write_bytes(graph.read_bytes() + b"\0")

    with pytest.raises(ModelError, match=r"listen\.onnx is damaged"):
        load_network(graph.parent, CPU)


def test_a_missing_graph_is_named(models_dir: Path) -> None:
    graph = models_dir / "networks" / "tiny" / "listen.onnx"
    graph.unlink()

    with pytest.raises(ModelError, match=r"listen\.onnx is missing"):
        load_network(graph.parent, CPU)


def test_a_graph_whose_windows_are_not_those_of_its_manifest_is_refused(tmp_path: Path) -> None:
    tiny_models.write_tiny_network(tmp_path / "tiny", columns=20)
    manifest = tmp_path / "tiny" / "manifest.json"
    for columns, words in ((16, "of 16 columns"), (24, r"\[1, 7, 5\] of a window of 24 columns")):
        manifest.write_text(manifest.read_text().replace('"columns": 20', f'"columns": {columns}'))
        with pytest.raises(ModelError, match=words):
            load_network(tmp_path / "tiny", CPU)
        manifest.write_text(manifest.read_text().replace(f'"columns": {columns}', '"columns": 20'))
    assert load_network(tmp_path / "tiny", CPU).manifest.name == "tiny"


def test_a_graph_with_other_ports_than_the_contract_is_refused() -> None:
    graph = Graph(tiny_models.speak_graph(16), CPU, "Avatar dot: speak.onnx")

    graph.check_contract(("pose", (7,)), ("mouth", (3, 16, 16)))
    with pytest.raises(ModelError, match=r"the contract asks for mouth \(N, 3, 32, 32\)"):
        graph.check_contract(("pose", (7,)), ("mouth", (3, 32, 32)))
    with pytest.raises(ModelError, match="the contract asks for mel"):
        graph.check_contract(("mel", (7,)), ("mouth", (3, 16, 16)))


def test_what_is_no_graph_is_refused() -> None:
    with pytest.raises(ModelError, match="cannot be loaded by onnxruntime"):
        Graph(b"not a graph", CPU, "Avatar dot: speak.onnx")


def test_a_loop_of_another_length_than_the_manifest_is_refused(models_dir: Path) -> None:
    directory = models_dir / "avatars" / "dot"
    manifest = json.loads((directory / "manifest.json").read_bytes())
    manifest["loop_frames"] = 24
    manifest["mouth"]["placement"] = [[1, 0, 0, 0, 1, 0]] * 24
    (directory / "manifest.json").write_text(json.dumps(manifest))

    with pytest.raises(ModelError, match="exactly 24 yuv420p frames of 128x96"):
        load_avatar(folder_bundle(directory), CPU)


def test_a_bundle_in_a_folder_of_another_name_is_refused(models_dir: Path) -> None:
    renamed = (models_dir / "avatars" / "dot").rename(models_dir / "avatars" / "dash")

    with pytest.raises(ModelError, match="the manifest's id is dot"):
        folder_bundle(renamed)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"network": "loud"}, "LIPSYNC_NETWORK names loud"),
        ({"avatar": "nobody"}, "There is no avatar nobody"),
        ({"providers": "cuda"}, "LIPSYNC_PROVIDERS names cuda"),
    ],
)
def test_a_worker_does_not_start_with_models_it_lacks(
    models_dir: Path, settings: dict[str, Any], words: str
) -> None:
    named: dict[str, Any] = {"network": "tiny", "avatar": "dot", **settings}
    chosen = LipsyncSettings(models_dir=models_dir, **named)

    with pytest.raises(ModelError, match=words):
        lipsync_service(chosen)


def test_the_process_ends_with_one_sentence_instead_of_a_traceback(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "services.lipsync"],
        env={**os.environ, "LIPSYNC_MODELS_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert ended.returncode == 1
    assert ended.stderr.startswith("Cannot start: There is no network in ")
    assert "Traceback" not in ended.stderr
