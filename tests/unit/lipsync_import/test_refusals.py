"""Files that are no Wav2Lip network are refused with a sentence, and nothing that is in them is ever run."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from services.lipsync.training.checkpoint_tensors import read_checkpoint
from services.lipsync.training.network_import import Description, imported_network
from services.lipsync.training.refusal import CheckpointRefused
from services.lipsync.training.wav2lip_weights import checkpoint_weights
from tests.fakes.wav2lip_network import (
    OLDER_MAGIC,
    OLDER_PROTOCOL,
    Tensors,
    calling_pickle,
    write_checkpoint,
    zipped_pickle,
)

VISAVIS = (sys.executable, "-c", "from visavis_client.command import main; main()")
DESCRIPTION = Description("mine", fmin_hz=55, offset_seconds=0, licence="none")


def refusal(file: Path) -> str:
    folder = file.parent / "network"
    with pytest.raises(CheckpointRefused) as caught:
        imported_network(file, DESCRIPTION, folder)
    assert not folder.exists()
    return str(caught.value)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:12\nsize 435801865\n", "git lfs pull"),
        (b"<!DOCTYPE html><html><body>Sign in</body></html>", "web page"),
        ("einfach ein Text, größer als nichts\n".encode() * 40, "is text"),
        (b"\x00\x01\x02\x03 no format at all \xff\xfe", "neither a checkpoint nor an ONNX graph"),
        (b"PK\x03\x04 and then nothing", "damaged"),
        (b"\x80\x02", "damaged"),
        (pickle.dumps({"state_dict": {}}, 2), "not a checkpoint that torch.save wrote"),
        (zipped_pickle(pickle.dumps({"state_dict": {}}, 2)), "no state_dict"),
        (zipped_pickle(pickle.dumps([1, 2.5, "three"], 4)), "no state_dict"),
        (zipped_pickle(b"\x80\x02}q\x00"), "damaged"),
    ],
)
def test_what_is_no_checkpoint_gets_a_sentence(tmp_path: Path, data: bytes, words: str) -> None:
    file = tmp_path / "weights.pth"
    file.write_bytes(data)

    assert words in refusal(file)


@pytest.fixture
def trap(tmp_path: Path) -> Path:
    return tmp_path / "it-ran"


def in_a_zip(data: bytes) -> bytes:
    return zipped_pickle(data)


def in_the_older_layout(data: bytes) -> bytes:
    return pickle.dumps(OLDER_MAGIC, 2) + pickle.dumps(OLDER_PROTOCOL, 2) + pickle.dumps({}, 2) + data


@pytest.mark.parametrize("layout", [in_a_zip, in_the_older_layout])
@pytest.mark.parametrize(("module", "function"), [("os", "mkdir"), ("posix", "mkdir")])
def test_a_pickle_with_code_in_it_is_refused_and_does_not_run(
    trap: Path, layout: Callable[[bytes], bytes], module: str, function: str
) -> None:
    data = calling_pickle(module, function, str(trap))
    pickle.loads(data)
    assert trap.is_dir(), "Python's own unpickler springs the trap"
    trap.rmdir()
    file = trap.parent / "weights.pth"
    file.write_bytes(layout(data))

    sentence = refusal(file)

    assert not trap.exists()
    assert f"names code: '{module}.{function}'" in sentence
    assert "Nothing of it was run" in sentence


def test_a_pickle_of_the_newest_protocol_cannot_hide_its_code(trap: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[object, ...]:
            return os.mkdir, (str(trap),)

    file = trap.parent / "weights.pth"
    file.write_bytes(zipped_pickle(pickle.dumps({"state_dict": Trap()}, 5)))

    assert "names code" in refusal(file)
    assert not trap.exists()


def test_an_archive_with_compiled_code_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "scripted.pt"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("scripted/data.pkl", pickle.dumps({}, 2))
        archive.writestr("scripted/constants.pkl", pickle.dumps((), 2))

    assert "TorchScript" in refusal(file)


def test_a_checkpoint_that_was_cut_off_is_refused(checkpoint: Path, tmp_path: Path) -> None:
    file = tmp_path / "weights.pth"
    file.write_bytes(checkpoint.read_bytes()[: 20 << 20])

    assert "cut off" in refusal(file)


def test_numbers_that_are_missing_are_noticed(tmp_path: Path, tensors: Tensors) -> None:
    name = "audio_encoder.0.conv_block.0.weight"
    whole = write_checkpoint(tmp_path / "whole.pth", {name: tensors[name]})
    short = tmp_path / "short.pth"
    with zipfile.ZipFile(whole) as source, zipfile.ZipFile(short, "w") as target:
        for entry in source.namelist():
            data = source.read(entry)
            target.writestr(entry, data[:100] if entry.endswith("data/0") else data)

    with pytest.raises(CheckpointRefused, match="damaged"):
        read_checkpoint(short).tensor(name)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda t: t.pop("output_block.1.weight"), "output_block.1.weight is missing"),
        (
            lambda t: t.update({"output_block.1.bias": np.zeros(4, np.float32)}),
            r"output_block.1.bias has the shape \(4,\) where \(3,\)",
        ),
        (
            lambda t: t.update({"audio_encoder.0.conv_block.0.bias": np.full(32, np.nan, np.float32)}),
            "audio_encoder.0.conv_block.0.bias holds numbers that are not finite",
        ),
        (
            lambda t: t.update({"audio_encoder.0.conv_block.1.running_var": np.full(32, -1, np.float32)}),
            "running_var is negative",
        ),
    ],
)
def test_a_tensor_that_does_not_fit_is_named(
    tmp_path: Path, tensors: Tensors, change: Callable[[dict[str, object]], object], words: str
) -> None:
    changed = dict(tensors)
    change(changed)  # type: ignore[arg-type]
    file = write_checkpoint(tmp_path / "weights.pth", changed)

    with pytest.raises(CheckpointRefused, match=words):
        checkpoint_weights(read_checkpoint(file))


def test_the_command_says_it_in_one_sentence(tmp_path: Path) -> None:
    file = tmp_path / "weights.pth"
    file.write_text("version https://git-lfs.github.com/spec/v1\n")

    ended = subprocess.run(
        [*VISAVIS, "lipsync", "import", str(file)],
        env={**os.environ, "LIPSYNC_NETWORKS_DIR": str(tmp_path / "networks")},
        capture_output=True,
        text=True,
        check=False,
    )

    assert ended.returncode == 1
    assert ended.stderr.startswith("weights.pth: The file is a Git LFS pointer")
    assert "Traceback" not in ended.stderr
    assert not (tmp_path / "networks").exists()
