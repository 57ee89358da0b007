"""A pace goes in, a text service comes out whose every delta says when it was written: run as a process."""

from __future__ import annotations

import argparse
import asyncio
import time
from collections.abc import AsyncGenerator
from typing import Any

from visavis.rpc.server import Service, running
from visavis.rpc.settings import ServiceSettings
from visavis.v1 import text_pb2, text_pb2_grpc

from tests.fakes.text_stage import FakeText


class PacedText(FakeText):
    """Writes one delta in `pause_seconds`: the monotonic clock, which all processes of a machine share."""

    def __init__(self, deltas: int, pause_seconds: float) -> None:
        super().__init__()
        self._deltas = deltas
        self._pause_seconds = pause_seconds

    async def StreamReply(
        self, request: text_pb2.StreamReplyRequest, context: Any
    ) -> AsyncGenerator[text_pb2.StreamReplyResponse, None]:
        now = asyncio.get_running_loop().time
        yield text_pb2.StreamReplyResponse(started=text_pb2.TextStarted(model="tiny"))
        written = []
        begun = now()
        for number in range(self._deltas):
            await asyncio.sleep(begun + (number + 1) * self._pause_seconds - now())
            written.append(f"{time.monotonic():.6f} ")
            yield text_pb2.StreamReplyResponse(delta=text_pb2.TextDelta(delta=written[-1]))
        usage = text_pb2.TextUsage(prompt_tokens=7, completion_tokens=self._deltas)
        finished = text_pb2.TextFinished(text="".join(written), usage=usage, finish_reason="stop")
        yield text_pb2.StreamReplyResponse(finished=finished)


async def main() -> None:
    """Prints the address, then serves until it is stopped."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--deltas", type=int, required=True)
    parser.add_argument("--pause-seconds", type=float, required=True)
    options = parser.parse_args()
    text = PacedText(options.deltas, options.pause_seconds)

    async def nothing() -> None:
        """A paced writer needs no preparation."""

    service = Service(
        "visavis.v1.TextService",
        lambda server: text_pb2_grpc.add_TextServiceServicer_to_server(text, server),
        nothing,
        nothing,
    )
    async with running(service, ServiceSettings(listen="127.0.0.1:0", max_calls=10_000)) as address:
        print(address, flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
