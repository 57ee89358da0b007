"""An ONNX graph's bytes go in, a function from array to array comes out: the only user of onnxruntime."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import numpy as np
import onnxruntime  # type: ignore[import-untyped]
from numpy.typing import NDArray

from services.lipsync.cancellation import Cancellation
from services.lipsync.manifests import ModelError

_PROVIDERS = {
    "cpu": "CPUExecutionProvider",
    "openvino": "OpenVINOExecutionProvider",
    "cuda": "CUDAExecutionProvider",
    "coreml": "CoreMLExecutionProvider",
}


def execution_providers(names: Sequence[str]) -> list[str]:
    """onnxruntime's names of the providers, in the same order.

    Raises:
        ModelError: a provider is unknown, or the installed onnxruntime was built without it.
    """
    available = onnxruntime.get_available_providers()
    here = [name for name, provider in _PROVIDERS.items() if provider in available]
    for name in names:
        if name not in here:
            raise ModelError(
                f"LIPSYNC_PROVIDERS names {name}, which the installed onnxruntime does not have. "
                f"Take {' or '.join(here)}, or install the onnxruntime build that has {name}."
            )
    return [_PROVIDERS[name] for name in names]


class Graph:
    """One input, one output, both float32 with the batch first. Several threads may call it at once.

    A call uses its own thread only: default threading loses a third of every CPU-second at these sizes.
    """

    def __init__(self, model: bytes, providers: Sequence[str], where: str) -> None:
        """Loads `model`; `providers` are onnxruntime's names, `where` names the file in errors.

        Raises:
            ModelError: not a graph that this onnxruntime can run, or not one input and one output.
        """
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        # Below "fatal" nothing is logged: what goes wrong is raised, and a cancelled run is no error.
        options.log_severity_level = 4
        try:
            self._session = onnxruntime.InferenceSession(model, options, providers=list(providers))
        except Exception as error:
            raise ModelError(
                f"{where} cannot be loaded by onnxruntime {onnxruntime.__version__} "
                f"({type(error).__name__}). Export it again."
            ) from error
        inputs, outputs = self._session.get_inputs(), self._session.get_outputs()
        if len(inputs) != 1 or len(outputs) != 1:
            raise ModelError(f"{where} must have one input and one output. Export it again.")
        self._input, self._output = inputs[0], outputs[0]
        self._where = where

    def check_contract(self, inputs: tuple[str, Sequence[int]], outputs: tuple[str, Sequence[int]]) -> None:
        """Compares the names and the shapes after the batch with what the contract says.

        Raises:
            ModelError: they differ.
        """
        for port, (name, shape) in ((self._input, inputs), (self._output, outputs)):
            known = [dim for dim in port.shape[1:] if isinstance(dim, int)]
            fits = len(known) < len(port.shape) - 1 or tuple(known) == tuple(shape)
            if port.name != name or len(port.shape) != len(shape) + 1 or not fits:
                raise ModelError(
                    f"{self._where} has {port.name} {port.shape} where the contract asks for "
                    f"{name} (N, {', '.join(map(str, shape))}). Export it again."
                )

    def run(self, batch: NDArray[np.float32], cancellation: Cancellation) -> NDArray[np.float32]:
        """The graph's output for `batch`.

        Raises:
            Cancelled: `cancellation` was set before or while it ran.
        """
        options = onnxruntime.RunOptions()

        def terminate() -> None:
            options.terminate = True

        options.log_severity_level = 4
        try:
            with cancellation.interrupting(terminate):
                outputs = self._session.run([self._output.name], {self._input.name: batch}, options)
        except Exception:
            # A terminated run raises a generic error of onnxruntime's: only our own flag tells it apart.
            cancellation.check()
            raise
        return cast("NDArray[np.float32]", outputs[0])
