"""What the cluster is told of a video worker is what the image, the worker and the gateway do."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from gateway.settings import GatewaySettings
from services.lipsync.settings import LipsyncSettings
from tests.deploy.rendering import DEPLOY, Document

DOCKERFILE = DEPLOY.parent / "services" / "lipsync" / "Dockerfile"
# What Knative allows a revision unless its operator allows more (max-revision-timeout-seconds).
KNATIVE_SECONDS_AT_MOST = 600
# Its proxy in the pod listens there (knative.dev/serving/pkg/networking).
KNATIVE_PORTS = {8008, 8012, 8013, 8022, 9090, 9091}


def documents(*path: str) -> list[Document]:
    return list(yaml.safe_load_all(DEPLOY.joinpath(*path).read_text()))


def settings_of(name: str, *path: str) -> dict[str, str]:
    """What a set's generator puts into the ConfigMap `name`."""
    (generated,) = [
        each for each in documents(*path)[0].get("configMapGenerator", []) if each["name"] == name
    ]
    return dict(literal.split("=", 1) for literal in generated["literals"])


@pytest.fixture
def revision() -> Document:
    """Knative's part of the pod and what it does with it."""
    (service,) = documents("components", "knative", "service.yaml")
    template: Document = service["spec"]["template"]
    return template


@pytest.fixture
def pod() -> Any:
    """Of the Deployment."""
    (deployment,) = [each for each in documents("base", "lipsync.yaml") if each["kind"] == "Deployment"]
    return deployment["spec"]["template"]["spec"]


@pytest.fixture
def drain_seconds() -> float:
    return float(settings_of("lipsync", "base", "kustomization.yaml")["LIPSYNC_DRAIN_SECONDS"])


def image_port() -> int:
    (port,) = re.findall(r"LIPSYNC_LISTEN=0\.0\.0\.0:(\d+)", DOCKERFILE.read_text())
    return int(port)


def test_knative_sends_http_2_to_the_port_that_the_image_listens_on(revision: Document) -> None:
    (container,) = revision["spec"]["containers"]
    assert container["ports"] == [{"name": "h2c", "containerPort": image_port()}]
    assert container["readinessProbe"]["grpc"]["port"] == image_port()


def test_knative_wakes_another_worker_for_each_render(revision: Document) -> None:
    slots = LipsyncSettings.model_fields["slots"].default
    annotations = revision["metadata"]["annotations"]
    assert annotations["autoscaling.knative.dev/min-scale"] == "0"
    assert annotations["autoscaling.knative.dev/target"] == str(slots)
    # So that lists pass beside a render; and the worker itself must not refuse what Knative lets through.
    most = LipsyncSettings.model_fields["max_calls"].default
    assert slots < revision["spec"]["containerConcurrency"] <= most


def test_knative_lets_a_call_last_as_long_as_a_reply_and_a_drain(
    revision: Document, drain_seconds: float
) -> None:
    seconds = revision["spec"]["timeoutSeconds"]
    assert seconds >= GatewaySettings.model_fields["reply_seconds"].default
    # It is also what a worker is given to stop.
    assert seconds >= drain_seconds
    assert seconds <= KNATIVE_SECONDS_AT_MOST


def test_a_gateway_calls_the_worker_by_knatives_name_and_waits_for_it() -> None:
    (service,) = documents("components", "knative", "service.yaml")
    settings = settings_of("gateway", "components", "knative", "kustomization.yaml")
    name = service["metadata"]["name"]
    assert settings["GATEWAY_LIPSYNC_TARGET"] == f"dns:///{name}.visavis.svc.cluster.local:80"
    assert service["metadata"]["labels"]["networking.knative.dev/visibility"] == "cluster-local"
    assert settings["GATEWAY_SLEEPING_STAGES"] == '["video"]'


def test_metrics_of_knatives_workers_stay_clear_of_its_own_ports_and_are_scraped() -> None:
    settings = settings_of("lipsync", "components", "knative", "kustomization.yaml")
    port = int(settings["LIPSYNC_METRICS_PORT"])
    assert port not in KNATIVE_PORTS
    _, monitor = documents("components", "monitoring", "scrape.yaml")
    assert [endpoint["portNumber"] for endpoint in monitor["spec"]["podMetricsEndpoints"]] == [port]
    (policy,) = [
        each
        for each in documents("components", "network-policies", "everything.yaml")
        if each["metadata"]["name"] == "metrics"
    ]
    assert {"port": port} in policy["spec"]["ingress"][0]["ports"]


def test_a_worker_drains_before_its_pod_is_killed(pod: Any, drain_seconds: float) -> None:
    (container,) = pod["containers"]
    stop_seconds = container["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert stop_seconds + drain_seconds <= pod["terminationGracePeriodSeconds"]
    assert {"name": "grpc", "containerPort": image_port()} in container["ports"]
