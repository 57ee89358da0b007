"""Failures keep type, sentence and retry time; settings that cannot work stop start-up with a sentence."""

import math
import socket

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2
from pydantic import Field
from visavis.rpc.failures import Failure, FailureType, failure_of, status_of
from visavis.rpc.settings import ServiceSettings, read_settings
from visavis.rpc.telemetry import new_traceparent, serve_metrics, trace_id_of


@pytest.mark.parametrize("type_", list(FailureType))
def test_every_failure_type_has_a_status_that_names_it(type_: FailureType) -> None:
    status = status_of(Failure(type_, "What, where, what to do.", retry_after_seconds=1.5))
    packed = status_pb2.Status.FromString(dict(status.trailing_metadata)["grpc-status-details-bin"])
    info, retry = error_details_pb2.ErrorInfo(), error_details_pb2.RetryInfo()
    assert packed.details[0].Unpack(info)
    assert packed.details[1].Unpack(retry)
    assert info.reason == type_.value
    assert retry.retry_delay.ToNanoseconds() == 1_500_000_000
    assert status.details == "What, where, what to do."


def test_a_failure_nobody_can_time_carries_no_retry_info() -> None:
    status = status_of(Failure(FailureType.UNKNOWN_VOICE, "No such voice."))
    packed = status_pb2.Status.FromString(dict(status.trailing_metadata)["grpc-status-details-bin"])
    assert len(packed.details) == 1


def test_a_provider_that_would_be_asked_again_never_is_asked_again_tomorrow() -> None:
    status = status_of(Failure(FailureType.RATE_LIMITED, "Too often.", retry_after_seconds=math.inf))
    packed = status_pb2.Status.FromString(dict(status.trailing_metadata)["grpc-status-details-bin"])
    retry = error_details_pb2.RetryInfo()
    assert packed.details[1].Unpack(retry)
    assert retry.retry_delay.ToSeconds() == 86_400


@pytest.mark.parametrize("code", [grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.INTERNAL])
def test_a_connection_that_breaks_is_a_stage_out_of_reach(code: grpc.StatusCode) -> None:
    error = grpc.aio.AioRpcError(code, grpc.aio.Metadata(), grpc.aio.Metadata(), "Internal error from Core")
    assert failure_of(error, "video").type is FailureType.STAGE_UNAVAILABLE


class ExampleSettings(ServiceSettings, env_prefix="EXAMPLE_"):
    """Settings as a service declares them."""

    retries: int = Field(default=1, validation_alias="VENDOR_RETRIES")


def test_a_wrong_setting_stops_start_up_and_names_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXAMPLE_DRAIN_SECONDS", "-1")
    with pytest.raises(SystemExit, match="EXAMPLE_DRAIN_SECONDS"):
        read_settings(ExampleSettings)


def test_a_wrong_setting_with_a_name_of_its_own_is_named_by_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VENDOR_RETRIES", "many")
    with pytest.raises(SystemExit, match=r"\s+VENDOR_RETRIES: "):
        read_settings(ExampleSettings)


def test_half_a_tls_pair_stops_start_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXAMPLE_TLS_CERTIFICATE", __file__)
    with pytest.raises(SystemExit, match="both tls_certificate and tls_key"):
        read_settings(ExampleSettings)


def test_a_certificate_that_is_not_there_stops_start_up_and_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXAMPLE_TLS_CERTIFICATE", "/nowhere/server.pem")
    monkeypatch.setenv("EXAMPLE_TLS_KEY", "/nowhere/server.key")
    with pytest.raises(SystemExit, match="EXAMPLE_TLS_CERTIFICATE"):
        read_settings(ExampleSettings)


def test_metrics_on_a_port_that_is_taken_stop_start_up_in_a_sentence() -> None:
    with socket.create_server(("", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SystemExit, match=f"Cannot serve metrics on port {port}"):
            serve_metrics(port)


def test_a_traceparent_names_its_trace() -> None:
    traceparent = new_traceparent()
    assert traceparent.split("-")[1] == trace_id_of(traceparent)
    for nonsense in ("nonsense", f"00-{'g' * 32}-{'1' * 16}-01", f"00-{'0' * 32}-{'1' * 16}-01"):
        assert trace_id_of(nonsense) == ""
