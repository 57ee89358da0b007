"""A Wav2Lip-contract network of random weights goes in, frames per CPU-second come out as a Markdown table.

Run it with `python -m tests.benchmark.lipsync_networks`. Where PyTorch is installed
(`pip install torch==2.13.0`) it runs alternately with ours, so that both meet the same machine.
"""

from __future__ import annotations

import importlib.util
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from services.lipsync.cancellation import Cancellation
from services.lipsync.sessions import Array, Session, execution_providers
from services.lipsync.training.checkpoint_tensors import read_checkpoint
from services.lipsync.training.network_import import Description, imported_network
from services.lipsync.training.wav2lip_graphs import whole_graph
from services.lipsync.training.wav2lip_weights import checkpoint_weights
from tests.benchmark.machine import machine_line
from tests.fakes.wav2lip_network import Tensors, random_tensors, torch_network, write_checkpoint

RUNS = 7
BATCH, WHOLE_BATCH, TORCH_BATCH = 4, 8, 16
# Runs some frames and says how many.
Variant = Callable[[], int]


def main() -> None:
    """Prints the medians of alternated runs, in one thread, after one that warms up."""
    tensors = random_tensors()
    with tempfile.TemporaryDirectory() as folder:
        checkpoint = write_checkpoint(Path(folder) / "random.pth", tensors)
        description = Description("random", fmin_hz=55, offset_seconds=0, licence="none")
        imported = imported_network(checkpoint, description, Path(folder) / "random")
        variants = {
            **_split(imported.folder),
            f"whole graph, batch {WHOLE_BATCH}": _whole(checkpoint),
            **_pytorch(tensors),
        }
    speeds: Mapping[str, list[float]] = {name: [] for name in variants}
    for number in range(RUNS + 1):
        for name, variant in variants.items():
            begun = time.thread_time()
            frames = variant()
            if number:
                speeds[name].append(frames / (time.thread_time() - begun))
    _print({name: statistics.median(values) for name, values in speeds.items()}, imported.difference)


def _print(medians: Mapping[str, float], difference: float) -> None:
    reference = medians.get(_TORCH)
    print(
        f"# An imported Wav2Lip network\n\n{machine_line()}. Frames per CPU-second of one thread, medians of "
        f"{RUNS} alternated runs; 32-bit, 36.28 million random weights. Largest difference from the "
        f"original: {difference:.1e}.\n\n| variant | frames per CPU-second | of PyTorch |\n|---|--:|--:|"
    )
    for name, speed in medians.items():
        print(f"| {name} | {speed:.1f} | {f'{speed / reference:.2f}x' if reference else 'not installed'} |")


_TORCH = f"PyTorch, batch {TORCH_BATCH}"


def _split(folder: Path) -> dict[str, Variant]:
    providers, go_on = execution_providers(["cpu"]), Cancellation()
    listen, look, speak = (
        Session((folder / f"{name}.onnx").read_bytes(), providers, name)
        for name in ("listen", "look", "speak")
    )
    mel, face = _inputs(BATCH)
    speech = listen.run({"mel": mel}, go_on)
    maps = look.run({"faces": face[:1]}, go_on)

    def speak_alone() -> int:
        speak.run({**speech, **maps}, go_on)
        return BATCH

    def listen_and_speak() -> int:
        speak.run({**listen.run({"mel": mel}, go_on), **maps}, go_on)
        return BATCH

    return {
        f"speak alone, batch {BATCH}": speak_alone,
        f"listen and speak, batch {BATCH}": listen_and_speak,
    }


def _whole(checkpoint: Path) -> Variant:
    graph = whole_graph(checkpoint_weights(read_checkpoint(checkpoint)))
    session, go_on = Session(graph, execution_providers(["cpu"]), "whole"), Cancellation()
    mel, faces = _inputs(WHOLE_BATCH)

    def run() -> int:
        session.run({"mel": mel, "faces": faces}, go_on)
        return WHOLE_BATCH

    return run


def _pytorch(tensors: Tensors) -> dict[str, Variant]:
    if importlib.util.find_spec("torch") is None:
        return {}
    import torch

    torch.set_num_threads(1)
    network = torch_network(tensors)
    mel, faces = (torch.from_numpy(array) for array in _inputs(TORCH_BATCH))

    def run() -> int:
        with torch.inference_mode():
            network(mel, faces)
        return TORCH_BATCH

    return {_TORCH: run}


def _inputs(count: int) -> tuple[Array, Array]:
    random = np.random.default_rng(0)
    mel = random.uniform(-4, 4, (count, 1, 80, 16)).astype(np.float32)
    return mel, random.uniform(0, 1, (count, 6, 96, 96)).astype(np.float32)


if __name__ == "__main__":
    main()
