"""A service's address goes in, a channel comes out that balances over all its pods and notices dead ones."""

from __future__ import annotations

import json

import grpc

from visavis.rpc.renewed import RenewedChannel
from visavis.rpc.server import MAX_MESSAGE_BYTES
from visavis.rpc.settings import TlsSettings
from visavis.rpc.telemetry import TRACEPARENT

# No retry policy: gRPC never retries a stream after its first message; the gateway runs an utterance again.
_SERVICE_CONFIG = json.dumps({"loadBalancingConfig": [{"round_robin": {}}]})
_OPTIONS: tuple[tuple[str, int | str], ...] = (
    ("grpc.service_config", _SERVICE_CONFIG),
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.keepalive_permit_without_calls", 0),
    # The default of 30 s would leave a new pod unused for as long.
    ("grpc.dns_min_time_between_resolutions_ms", 1_000),
    ("grpc.initial_reconnect_backoff_ms", 200),
    ("grpc.max_reconnect_backoff_ms", 2_000),
    # Channels of one process would else share a connection, and with it one pod.
    ("grpc.use_local_subchannel_pool", 1),
)


def open_channel(target: str, tls: TlsSettings) -> grpc.aio.Channel:
    """A channel to `target` (host:port, or any gRPC name such as dns:///text:50051). The caller closes it."""
    credentials = client_credentials(tls)
    if credentials is None:
        return RenewedChannel(lambda: grpc.aio.insecure_channel(target, options=_OPTIONS))
    return RenewedChannel(lambda: grpc.aio.secure_channel(target, credentials, options=_OPTIONS))


def client_credentials(tls: TlsSettings) -> grpc.ChannelCredentials | None:
    """TLS towards the service, with our own certificate where there is one; None means plain text."""
    if tls.tls_ca is None and tls.tls_certificate is None:
        return None
    return grpc.ssl_channel_credentials(
        root_certificates=tls.tls_ca.read_bytes() if tls.tls_ca else None,
        private_key=tls.tls_key.read_bytes() if tls.tls_key else None,
        certificate_chain=tls.tls_certificate.read_bytes() if tls.tls_certificate else None,
    )


def call_metadata(traceparent: str) -> grpc.aio.Metadata:
    """What travels with every call of one reply."""
    return grpc.aio.Metadata((TRACEPARENT, traceparent))
