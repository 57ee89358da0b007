"""Addresses of ready workers go in, a name that resolves to them comes out: a headless Service's DNS."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from dnslib import QTYPE, RR, A, DNSRecord
from dnslib.server import BaseResolver, DNSServer

NAME = "lipsync.test"


class Zone(BaseResolver):  # type: ignore[misc]  # dnslib has no types
    """One name; no address where nobody is ready."""

    def __init__(self) -> None:
        self.addresses: tuple[str, ...] = ()
        self.port = 0

    @property
    def target(self) -> str:
        """What a gRPC client is told, without the port of the service."""
        return f"dns://127.0.0.1:{self.port}/{NAME}"

    def resolve(self, request: DNSRecord, handler: object) -> DNSRecord:
        """dnslib's hook."""
        reply = request.reply()
        if request.q.qtype == QTYPE.A and str(request.q.qname).startswith(NAME):
            for address in self.addresses:
                reply.add_answer(RR(request.q.qname, QTYPE.A, rdata=A(address), ttl=1))
        return reply


@contextmanager
def answering() -> Iterator[Zone]:
    """Serves the zone on a free port of loopback until the block ends."""
    zone = Zone()
    server = DNSServer(zone, address="127.0.0.1", port=0, logger=_Silent())
    zone.port = server.server.server_address[1]
    server.start_thread()
    try:
        yield zone
    finally:
        server.stop()
        server.server.server_close()


class _Silent:
    """Takes dnslib's log lines and drops them."""

    def __getattr__(self, name: str) -> object:
        return lambda *_: None
