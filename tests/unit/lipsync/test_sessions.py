"""Graphs run where the worker's settings say, and stop in the middle when they are cancelled."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from services.lipsync.cancellation import Cancellation, Cancelled
from services.lipsync.manifests import ModelError
from services.lipsync.sessions import Graph, execution_providers
from tests.fakes import tiny_models

CPU = execution_providers(["cpu"])
POSES = np.zeros((8, 7), np.float32)


@pytest.mark.parametrize(
    ("name", "package"), [("openvino", "onnxruntime-openvino"), ("cuda", "onnxruntime-gpu")]
)
def test_a_provider_that_is_not_installed_is_named_with_its_package_and_with_what_there_is(
    name: str, package: str
) -> None:
    with pytest.raises(
        ModelError, match=f"names {name}, which .* it has cpu. Install {package} in its place"
    ):
        execution_providers([name])


def test_only_where_cpu_is_listed_it_steps_in() -> None:
    assert execution_providers(["cuda", "cpu"]) == CPU
    assert execution_providers(["cuda", "openvino", "cpu"]) == CPU
    with pytest.raises(ModelError, match=r"LIPSYNC_PROVIDERS names cuda.* Or list cpu behind it"):
        execution_providers(["cuda", "openvino"])


def test_a_provider_that_nobody_knows_is_refused_even_before_cpu() -> None:
    with pytest.raises(ModelError, match=r"names warpdrive\. It may list cpu, openvino, cuda, coreml"):
        execution_providers(["warpdrive", "cpu"])


def test_a_run_is_interrupted_in_the_middle_of_the_graph() -> None:
    graph = Graph(tiny_models.slow_graph(3600), CPU, "slow")
    cancellation = Cancellation()
    canceller = threading.Timer(0.2, cancellation.cancel)
    canceller.start()

    with pytest.raises(Cancelled):
        graph.run(POSES, cancellation)
    canceller.join()


def test_a_cancelled_render_does_not_begin_another_run() -> None:
    cancellation = Cancellation()
    cancellation.cancel()

    with pytest.raises(Cancelled):
        Graph(tiny_models.slow_graph(3600), CPU, "slow").run(POSES, cancellation)


def test_an_interrupted_run_leaves_the_graph_usable() -> None:
    graph = Graph(tiny_models.speak_graph(), CPU, "dot")
    cancellation = Cancellation()
    cancellation.cancel()
    with pytest.raises(Cancelled):
        graph.run(POSES, cancellation)

    assert graph.run(POSES, Cancellation()).shape == (8, 3, 32, 32)


def test_an_error_that_is_no_cancellation_is_not_taken_for_one() -> None:
    with pytest.raises(Exception, match="INVALID_ARGUMENT"):
        Graph(tiny_models.speak_graph(), CPU, "dot").run(np.zeros((8, 6), np.float32), Cancellation())
