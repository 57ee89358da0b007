"""An ONNX graph's bytes go in, a function from arrays to arrays comes out: the only user of onnxruntime."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from functools import cache
from typing import TypeAlias

import numpy as np
import onnxruntime  # type: ignore[import-untyped]
import structlog
from numpy.typing import NDArray

from services.lipsync.cancellation import Cancellation
from services.lipsync.heap import return_freed_memory
from services.lipsync.manifests import ModelError

log = structlog.get_logger()

Array: TypeAlias = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class _Provider:
    """What onnxruntime calls it, and the package that has it."""

    name: str
    package: str


_PROVIDERS = {
    "cpu": _Provider("CPUExecutionProvider", "onnxruntime"),
    "openvino": _Provider("OpenVINOExecutionProvider", "onnxruntime-openvino"),
    "cuda": _Provider("CUDAExecutionProvider", "onnxruntime-gpu"),
    "coreml": _Provider("CoreMLExecutionProvider", "onnxruntime, on macOS"),
}
# An ONNX graph of one Relu, to see whether a provider finds its device and its libraries.
_PROBE = (
    b'\x08\x08:3\n\x0c\n\x01x\x12\x01y"\x04Relu\x12\x01gZ\x0f\n\x01x\x12\n\n\x08\x08\x01\x12\x04\n\x02\x08\x01'
    b"b\x0f\n\x01y\x12\n\n\x08\x08\x01\x12\x04\n\x02\x08\x01B\x04\n\x00\x10\r"
)


def execution_providers(names: Sequence[str]) -> list[str]:
    """onnxruntime's names of the providers that can be used here, in the same order.

    One that cannot be used is passed over, with a warning, where `cpu` is among them. What a provider cannot
    compute of a graph, the next one does.

    Raises:
        ModelError: a provider is unknown; or it cannot be used and `cpu` is not among them.
    """
    usable = []
    for name in names:
        if name not in _PROVIDERS:
            raise ModelError(f"LIPSYNC_PROVIDERS names {name}. It may list {', '.join(_PROVIDERS)}.")
        reason = _why_unusable(name)
        if reason is None:
            usable.append(_PROVIDERS[name].name)
        elif "cpu" in names:
            log.warning("execution provider passed over", provider=name, reason=reason)
        else:
            raise ModelError(f"{reason} Or list cpu behind it, to go on without it.")
    return usable


def _why_unusable(name: str) -> str | None:
    here = onnxruntime.get_available_providers()
    provider = _PROVIDERS[name]
    if provider.name not in here:
        known = [short for short, one in _PROVIDERS.items() if one.name in here]
        return (
            f"LIPSYNC_PROVIDERS names {name}, which the installed onnxruntime does not have: it has "
            f"{' and '.join(known)}. Install {provider.package} in its place."
        )
    if name == "cpu":
        return None
    if name == "cuda":
        _load_cuda()
    try:
        # onnxruntime goes on without a provider whose driver or libraries it does not find.
        if _session(_PROBE, _options(), [provider.name]).get_providers()[0] == provider.name:
            return None
    except Exception as error:
        log.warning("execution provider failed", provider=name, error=str(error))
    return (
        f"LIPSYNC_PROVIDERS names {name}, which is installed but finds no device or no driver here. "
        "Install its driver and its libraries."
    )


def _load_cuda() -> None:
    """Finds CUDA's libraries where pip has put them."""
    # It prints what it does not find.
    with redirect_stdout(io.StringIO()) as printed:
        onnxruntime.preload_dlls()
    if missing := printed.getvalue():
        log.warning("CUDA is not complete", missing=missing)


def _options() -> onnxruntime.SessionOptions:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    _share_arena()
    options.add_session_config_entry("session.use_env_allocators", "1")
    # Weights go with their session: what the pool has it keeps.
    options.add_session_config_entry("session.use_device_allocator_for_initializers", "1")
    # Below "fatal" nothing is logged: what goes wrong is raised, and a cancelled run is no error.
    options.log_severity_level = 4
    return options


def _session(
    model: bytes, options: onnxruntime.SessionOptions, providers: Sequence[str]
) -> onnxruntime.InferenceSession:
    # Left to itself it would print the error and try other providers than were asked for.
    session = onnxruntime.InferenceSession(model, options, providers=list(providers), enable_fallback=0)
    # Nor need it keep the file for that: its graph has copies of all weights.
    session._model_bytes = None
    return_freed_memory()
    return session


@cache
def _share_arena() -> None:
    """All sessions of a process take their working memory from one pool: a silent avatar needs none."""
    memory = onnxruntime.OrtMemoryInfo(
        "Cpu", onnxruntime.OrtAllocatorType.ORT_ARENA_ALLOCATOR, 0, onnxruntime.OrtMemType.DEFAULT
    )
    # Blocks as large as asked for: doubling them would double what is never used.
    asked_for = onnxruntime.OrtArenaCfg({"arena_extend_strategy": 1})
    onnxruntime.create_and_register_allocator(memory, asked_for)


class Session:
    """A graph of float32 ports with the batch first. Several threads may call it at once.

    A call uses its own thread only: default threading loses a third of every CPU-second at these sizes.
    """

    def __init__(self, model: bytes, providers: Sequence[str], where: str, *, optimised: bool = True) -> None:
        """Loads `model`; `providers` are onnxruntime's names, `where` names the file in errors.

        `optimised=False` computes the graph node by node, as it is written.

        Raises:
            ModelError: not a graph that this onnxruntime can run with these providers.
        """
        levels = onnxruntime.GraphOptimizationLevel
        options = _options()
        options.graph_optimization_level = levels.ORT_ENABLE_ALL if optimised else levels.ORT_DISABLE_ALL
        try:
            self._session = _session(model, options, providers)
        except Exception as error:
            raise ModelError(
                f"{where} cannot be loaded by onnxruntime {onnxruntime.__version__} "
                f"({type(error).__name__}). Export it again."
            ) from error
        self.inputs = {port.name: tuple(port.shape) for port in self._session.get_inputs()}
        self.outputs = {port.name: tuple(port.shape) for port in self._session.get_outputs()}

    def run(self, inputs: Mapping[str, Array], cancellation: Cancellation) -> dict[str, Array]:
        """The graph's outputs by name.

        Raises:
            Cancelled: `cancellation` was set before or while it ran.
        """
        options = onnxruntime.RunOptions()

        def terminate() -> None:
            options.terminate = True

        options.log_severity_level = 4
        names = list(self.outputs)
        try:
            with cancellation.interrupting(terminate):
                outputs = self._session.run(names, dict(inputs), options)
        except Exception:
            # A terminated run raises a generic error of onnxruntime's: only our own flag tells it apart.
            cancellation.check()
            raise
        return dict(zip(names, outputs, strict=True))


class Graph:
    """A session with one input and one output."""

    def __init__(self, model: bytes, providers: Sequence[str], where: str) -> None:
        """See `Session`.

        Raises:
            ModelError: as there, or not one input and one output.
        """
        self._session = Session(model, providers, where)
        if len(self._session.inputs) != 1 or len(self._session.outputs) != 1:
            raise ModelError(f"{where} must have one input and one output. Export it again.")
        (self._input,) = self._session.inputs.items()
        (self._output,) = self._session.outputs.items()
        self._where = where

    def check_contract(
        self, inputs: tuple[str, Sequence[int | str]], outputs: tuple[str, Sequence[int | str]]
    ) -> None:
        """Compares the names and the shapes after the batch with what the contract says.

        A size that the contract gives by name must be free in the graph.

        Raises:
            ModelError: they differ.
        """
        for (found, dims), (name, shape) in ((self._input, inputs), (self._output, outputs)):
            fits = len(dims) == len(shape) + 1 and all(
                not isinstance(dim, int) or dim == size for dim, size in zip(dims[1:], shape, strict=True)
            )
            if found != name or not fits:
                raise ModelError(
                    f"{self._where} has {found} {list(dims)} where the contract asks for "
                    f"{name} (N, {', '.join(map(str, shape))}). Export it again."
                )

    def run(self, batch: Array, cancellation: Cancellation) -> Array:
        """The graph's output for `batch`.

        Raises:
            Cancelled: `cancellation` was set before or while it ran.
        """
        name, _ = self._input
        (output,) = self._session.run({name: batch}, cancellation).values()
        return output
