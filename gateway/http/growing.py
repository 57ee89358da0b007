"""A reply's log and media go in, a file that is still being made comes out, piece by piece as it grows."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

from gateway.media.store import MediaStore
from gateway.media.timeline import SPEECH_RATE_HZ
from gateway.media.wav import HEADER_BYTES, wav_header
from gateway.reply.event_log import EventLog, followed


async def growing_video(log: EventLog, media: MediaStore, reply_id: str) -> AsyncGenerator[bytes, None]:
    """The init segment and every fragment: together one MP4 that plays while it grows."""
    async with aclosing(followed(log, reply_id)) as events:
        async for event in events:
            if event is None or event.type != "fragment":
                continue
            if event.data["index"] == 0:
                yield await media.read(reply_id, "init.mp4")
            yield await media.read(reply_id, f"{event.data['index']}.m4s")


async def growing_audio(log: EventLog, media: MediaStore, reply_id: str) -> AsyncGenerator[bytes, None]:
    """A WAV file of unknown length: every utterance's speech, then the closing rest."""
    count = 0
    yield wav_header(SPEECH_RATE_HZ, None)
    async with aclosing(followed(log, reply_id)) as events:
        async for event in events:
            if event is None or event.type not in ("utterance", "audio_ok"):
                continue
            # The rest is stored after the last utterance and has no event of its own.
            yield (await media.read(reply_id, f"{count}.wav"))[HEADER_BYTES:]
            count += 1
