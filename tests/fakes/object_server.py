"""Nothing goes in, a real S3-compatible server on a free port comes out, with one bucket in it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
from moto.server import ThreadedMotoServer

BUCKET = "media"
_LONGEST_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class ObjectServer:
    """A running server. Unless told otherwise it lets everybody in."""

    address: str
    scheme: str = "s3"

    @property
    def bucket_url(self) -> str:
        """As GATEWAY_DATA takes it."""
        return f"{self.scheme}://{BUCKET}"

    @property
    def environment(self) -> dict[str, str]:
        """What a client of it must have in its environment."""
        return {
            "AWS_ACCESS_KEY_ID": "someone",
            "AWS_SECRET_ACCESS_KEY": "a-secret-that-nobody-must-see",
            "AWS_REGION": "us-east-1",
            "AWS_ENDPOINT_URL": self.address,
        }

    @property
    def address_variable(self) -> str:
        """The part of the environment that says where it is."""
        return "AWS_ENDPOINT_URL"

    @property
    def secret(self) -> str:
        """What nobody must see."""
        return self.environment["AWS_SECRET_ACCESS_KEY"]

    def empty(self) -> None:
        """Removes everything but an empty bucket, and lets everybody in."""
        self._answer("POST", "moto-api/reset-auth", content="inf")
        self.lose()
        self._answer("PUT", BUCKET)

    def lose(self) -> None:
        """Removes even the bucket."""
        self._answer("POST", "moto-api/reset")

    def names(self) -> list[str]:
        """Of all objects, in full."""
        listed = self._answer("GET", BUCKET, params={"list-type": "2"}).text
        return [part.partition("</Key>")[0] for part in listed.split("<Key>")[1:]]

    def refuse_everybody(self) -> None:
        """Knows nobody's credentials from now on, until it is emptied."""
        self._answer("POST", "moto-api/reset-auth", content="0")

    def _answer(self, method: str, path: str, **arguments: Any) -> httpx.Response:
        address = f"{self.address}/{path}"
        # The first answer takes as long as all that the server loads for it.
        return httpx.request(method, address, timeout=_LONGEST_SECONDS, **arguments).raise_for_status()


@contextmanager
def object_server() -> Iterator[ObjectServer]:
    """Serves until the block ends."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        running = ObjectServer(f"http://{host}:{port}")
        running.empty()
        yield running
    finally:
        server.stop()
