"""Starts the lip-sync worker: the environment goes in, a served process comes out."""

from __future__ import annotations

import asyncio

from visavis.rpc.server import serve
from visavis.rpc.settings import read_settings

from services.lipsync.heap import give_freed_memory_back
from services.lipsync.manifests import ModelError
from services.lipsync.settings import LipsyncSettings
from services.lipsync.worker import lipsync_service


def main() -> None:
    """Serves until SIGTERM; a setting or a model that cannot be used ends it with one sentence."""
    give_freed_memory_back()
    settings = read_settings(LipsyncSettings)
    try:
        asyncio.run(serve(lipsync_service(settings), settings))
    except ModelError as error:
        raise SystemExit(f"Cannot start: {error}") from None


if __name__ == "__main__":
    main()
