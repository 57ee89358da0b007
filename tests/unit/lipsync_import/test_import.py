"""A checkpoint or a whole ONNX graph becomes three graphs that compute what it computes."""

from __future__ import annotations

import json
import subprocess
import sys
from math import prod
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, numpy_helper

from services.lipsync.training.checkpoint_tensors import read_checkpoint
from services.lipsync.training.network_import import (
    LARGEST_DIFFERENCE,
    Description,
    Imported,
    imported_network,
)
from services.lipsync.training.refusal import CheckpointRefused
from services.lipsync.training.wav2lip_architecture import ALL_LAYERS
from services.lipsync.training.wav2lip_graphs import map_shapes, whole_graph
from services.lipsync.training.wav2lip_weights import LayerWeights, checkpoint_weights
from services.lipsync.training.whole_onnx import whole_network
from services.lipsync.wav2lip_manifest import Wav2LipManifest
from tests.fakes.wav2lip_network import Tensors, torch_network, write_older_checkpoint

GRAPHS = ("listen.onnx", "look.onnx", "speak.onnx")
INSTALL_TORCH = "PyTorch is missing: pip install torch==2.13.0"


@pytest.fixture(scope="session")
def weights(checkpoint: Path) -> LayerWeights:
    return checkpoint_weights(read_checkpoint(checkpoint))


def test_the_architecture_has_the_weights_of_the_real_one() -> None:
    convolutions = (prod(layer.weight_shape) + layer.outputs for layer in ALL_LAYERS)

    assert round(sum(convolutions) / 1e6, 2) == 36.28


def test_maps_are_no_larger_than_what_is_drawn_below_them() -> None:
    shapes = map_shapes()

    # The first one is whole, the others are quarters of what they belong to.
    assert shapes.pop("m1") == (512, 3, 3)
    assert list(shapes.values())[::4] == [
        *((512, 3, 3), (384, 5, 6), (256, 8, 12), (128, 14, 24), (64, 26, 48), (32, 26, 48))
    ]
    assert len(shapes) == 6 * 4


def test_the_imported_network_computes_what_the_checkpoint_computes(imported: Imported) -> None:
    assert 0 < imported.difference <= LARGEST_DIFFERENCE
    manifest = Wav2LipManifest.model_validate_json((imported.folder / "manifest.json").read_bytes())
    assert (manifest.name, manifest.licence, manifest.mel.fmin_hz) == ("mine", "for a test", 95)


def test_both_layouts_of_a_checkpoint_hold_the_same(
    tensors: Tensors, weights: LayerWeights, tmp_path: Path
) -> None:
    older = checkpoint_weights(read_checkpoint(write_older_checkpoint(tmp_path / "older.pth", tensors)))

    assert all(np.array_equal(older[key].weight, one.weight) for key, one in weights.items())
    assert all(np.array_equal(older[key].bias, one.bias) for key, one in weights.items())


def test_a_whole_onnx_graph_becomes_the_same_network(
    weights: LayerWeights, imported: Imported, tmp_path: Path
) -> None:
    file = tmp_path / "whole.onnx"
    file.write_bytes(whole_graph(weights))

    again = imported_network(file, Description("again", 55, 0, "none"), tmp_path / "again")

    assert again.difference <= LARGEST_DIFFERENCE
    for name in GRAPHS:
        assert (again.folder / name).read_bytes() == (imported.folder / name).read_bytes()


@pytest.mark.slow
def test_an_onnx_graph_that_computes_something_else_is_refused(weights: LayerWeights, tmp_path: Path) -> None:
    model = onnx.load_model_from_string(whole_graph(weights))
    (sigmoid,) = (node for node in model.graph.node if node.op_type == "Sigmoid")
    sigmoid.op_type = "Tanh"
    file = tmp_path / "whole.onnx"
    file.write_bytes(model.SerializeToString())

    with pytest.raises(CheckpointRefused, match="differs from the original by"):
        imported_network(file, Description("other", 55, 0, "none"), tmp_path / "other")
    assert not (tmp_path / "other").exists()


def test_onnx_graphs_of_other_kinds_are_refused(weights: LayerWeights) -> None:
    shipped = Path("services/lipsync/models/networks/visavis-mouth/listen.onnx").read_bytes()
    with pytest.raises(CheckpointRefused, match="it must have the inputs mel"):
        whole_network(shipped)

    whole = onnx.load_model_from_string(whole_graph(weights))
    elsewhere = onnx.ModelProto.FromString(whole.SerializeToString())
    elsewhere.graph.initializer[0].data_location = TensorProto.EXTERNAL
    with pytest.raises(CheckpointRefused, match="keeps its weights in another file"):
        whole_network(elsewhere.SerializeToString())

    whole.graph.initializer[0].CopyFrom(
        numpy_helper.from_array(np.zeros((16, 6, 5, 5), np.float32), whole.graph.initializer[0].name)
    )
    with pytest.raises(CheckpointRefused, match="have other sizes"):
        whole_network(whole.SerializeToString())


def test_importing_needs_neither_torch_nor_pickle() -> None:
    program = (
        "import sys; import services.lipsync.training.network_import;"
        "print([name for name in ('torch', 'librosa') if name in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert ran.stdout.strip() == "[]"


def test_where_onnx_is_missing_the_importer_says_what_to_type(tmp_path: Path) -> None:
    program = (
        "import sys; sys.modules['onnx'] = None\n"
        "from services.lipsync.training.import_command import main; main()"
    )
    arguments = ["any.pth", "--name", "any", "--licence", "none", "--folder", str(tmp_path)]

    ended = subprocess.run(
        [sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=False
    )

    assert ended.returncode == 1
    assert ended.stderr.startswith("The importer needs the package onnx")
    assert "-m pip install 'onnx>=1.23'" in ended.stderr


def test_a_name_that_the_service_knows_already_is_refused(checkpoint: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "services.lipsync.training.import_command", str(checkpoint)]
    arguments = ["--name", "visavis-mouth", "--licence", "none", "--folder", str(tmp_path)]

    ended = subprocess.run([*command, *arguments], capture_output=True, text=True, check=False)

    assert ended.returncode == 1
    assert "visavis-mouth is a network that comes with the service" in ended.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_the_command_imports_what_can_then_be_chosen(checkpoint: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-c", "from visavis_client.command import main; main()"]
    arguments = ["lipsync", "import", str(checkpoint), "--folder", str(tmp_path), "--licence", "mine alone"]

    first = subprocess.run([*command, *arguments], capture_output=True, text=True, check=False)
    second = subprocess.run([*command, *arguments], capture_output=True, text=True, check=False)

    assert first.returncode == 0, first.stderr
    assert "mine: differs from the original by at most" in first.stdout
    assert json.loads((tmp_path / "mine" / "manifest.json").read_text())["licence"] == "mine alone"
    assert second.returncode == 1
    assert "There is a network mine" in second.stderr


@pytest.mark.slow
def test_pytorch_agrees_with_every_graph(tensors: Tensors, weights: LayerWeights, imported: Imported) -> None:
    torch = pytest.importorskip("torch", reason=INSTALL_TORCH)
    from services.lipsync.cancellation import Cancellation
    from services.lipsync.sessions import Session

    random = np.random.default_rng(5)
    mel = random.uniform(-4, 4, (4, 1, 80, 16)).astype(np.float32)
    face = random.uniform(0, 1, (1, 6, 96, 96)).astype(np.float32)
    faces = np.repeat(face, 4, axis=0)
    with torch.inference_mode():
        expected = torch_network(tensors)(torch.from_numpy(mel), torch.from_numpy(faces)).numpy()
    cpu, go_on = ["CPUExecutionProvider"], Cancellation()
    listen, look, speak = (Session((imported.folder / name).read_bytes(), cpu, name) for name in GRAPHS)

    maps = look.run({"faces": face}, go_on)
    split = speak.run({**listen.run({"mel": mel}, go_on), **maps}, go_on)["mouth"]
    whole = Session(whole_graph(weights), cpu, "whole").run({"mel": mel, "faces": faces}, go_on)["mouth"]

    assert np.abs(whole - expected).max() <= LARGEST_DIFFERENCE
    assert np.abs(split - expected[:, :, 48:]).max() <= LARGEST_DIFFERENCE
    assert expected.std() > 0.1


@pytest.mark.slow
@pytest.mark.parametrize("zipped", [True, False])
def test_what_torch_saves_is_read_without_torch(tensors: Tensors, tmp_path: Path, zipped: bool) -> None:
    torch = pytest.importorskip("torch", reason=INSTALL_TORCH)
    network = torch_network(tensors)
    optimiser = torch.optim.Adam(network.parameters())
    file = tmp_path / "saved.pth"
    saved = {"state_dict": network.state_dict(), "optimizer": optimiser.state_dict(), "global_step": 3}
    torch.save(saved, file, _use_new_zipfile_serialization=zipped)

    found = read_checkpoint(file)

    assert set(tensors) <= set(found.shapes)
    assert all(np.array_equal(found.tensor(name), array) for name, array in tensors.items())
