"""A network of the real shape with random weights, written and imported once for all tests here."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.lipsync.training.network_import import Description, Imported, imported_network
from tests.fakes.wav2lip_network import Tensors, random_tensors, write_checkpoint


@pytest.fixture(scope="session")
def tensors() -> Tensors:
    return random_tensors()


@pytest.fixture(scope="session")
def checkpoint(tensors: Tensors, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_checkpoint(tmp_path_factory.mktemp("checkpoint") / "Mine.pth", tensors)


@pytest.fixture(scope="session")
def imported(checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Imported:
    description = Description("mine", fmin_hz=95, offset_seconds=-0.04, licence="for a test")
    return imported_network(checkpoint, description, tmp_path_factory.mktemp("networks") / "mine")
