"""What a caller wants animated goes in, an utterance within all bounds comes out, or the reason why not."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

from visavis.rpc.failures import Failure, FailureType

from services.lipsync.schedule import FRAMES_PER_SECOND, FRAMES_PER_UNIT, fragment_spans

LOWEST_RATE_HZ, HIGHEST_RATE_HZ = 8_000, 48_000
MAX_CHUNK_BYTES = 64 << 10
# Four days: the muxer's clocks are far from their end.
MAX_START_FRAME = 1 << 23
BYTES_PER_SAMPLE = 2


@dataclass(frozen=True, slots=True)
class Utterance:
    """The speech to come and its place. Empty names mean the defaults, an empty hash the shipped avatar.

    `start_frame` is its place on the reply's timeline; `resume_frame`, the first wanted, counts from there.
    """

    avatar_id: str
    avatar_hash: str
    network: str
    sample_rate_hz: int
    sample_count: int
    start_frame: int
    resume_frame: int

    def frames(self, max_seconds: float) -> int:
        """How many frames it lasts, a multiple of 8.

        Raises:
            Failure: invalid-request or too-long.
        """
        if (
            not LOWEST_RATE_HZ <= self.sample_rate_hz <= HIGHEST_RATE_HZ
            or self.sample_rate_hz % FRAMES_PER_SECOND
        ):
            raise _invalid(
                f"sample_rate_hz is {self.sample_rate_hz}; it must be {LOWEST_RATE_HZ} to {HIGHEST_RATE_HZ} "
                f"and a multiple of {FRAMES_PER_SECOND}."
            )
        samples_per_unit = self.sample_rate_hz // FRAMES_PER_SECOND * FRAMES_PER_UNIT
        units, rest = divmod(self.sample_count, samples_per_unit)
        if rest or not units:
            raise _invalid(
                f"sample_count is {self.sample_count}; it must be a multiple of {samples_per_unit} "
                f"({FRAMES_PER_UNIT} frames), above 0. Pad the speech with silence."
            )
        frames = units * FRAMES_PER_UNIT
        if frames > max_seconds * FRAMES_PER_SECOND:
            raise Failure(
                FailureType.TOO_LONG,
                f"An utterance may last {max_seconds:g} s, this one lasts {frames / FRAMES_PER_SECOND:g} s.",
            )
        if self.start_frame % FRAMES_PER_UNIT or self.start_frame > MAX_START_FRAME:
            raise _invalid(
                f"start_frame is {self.start_frame}; it must be a multiple of {FRAMES_PER_UNIT}, "
                f"at most {MAX_START_FRAME}."
            )
        if self.resume_frame not in {frames, *(first for first, _ in fragment_spans(frames))}:
            raise _invalid(
                f"resume_frame is {self.resume_frame}, where no fragment of this utterance begins. "
                "Take frames_done of the last fragment received, or 0."
            )
        return frames

    async def gathered(self, chunks: AsyncIterator[bytes]) -> bytes:
        """All PCM of `chunks`, exactly `sample_count` samples of it.

        Raises:
            Failure: invalid-request.
        """
        wanted = self.sample_count * BYTES_PER_SAMPLE
        pcm = bytearray()
        async for chunk in chunks:
            if len(chunk) % BYTES_PER_SAMPLE:
                raise _invalid(f"A chunk has {len(chunk)} bytes, which are not whole 16-bit samples.")
            pcm += chunk
            if len(pcm) > wanted:
                raise _invalid(f"More PCM came than the {self.sample_count} samples announced.")
        if len(pcm) < wanted:
            raise _invalid(
                f"{len(pcm) // BYTES_PER_SAMPLE} samples came, {self.sample_count} were announced."
            )
        return bytes(pcm)


def _invalid(detail: str) -> Failure:
    return Failure(FailureType.INVALID_REQUEST, detail)
