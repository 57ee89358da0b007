"""An uploaded sound file goes in (any common container, rate and channels), mono 24 kHz PCM comes out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import BinaryIO

import av
import numpy as np
from numpy.typing import NDArray
from visavis.rpc.failures import Failure, FailureType

from gateway.media.timeline import SPEECH_RATE_HZ

# Only containers that hold their own sound: playlists and the like would make the decoder open other files.
_CONTAINERS = "wav,w64,aiff,au,caf,mp3,aac,flac,ogg,mov,mp4,m4a,3gp,matroska,webm,amr,asf"
_OPTIONS = {"format_whitelist": _CONTAINERS, "protocol_whitelist": "none"}
_NAMES = "WAV, MP3, FLAC, Ogg, AAC, MP4 or WebM"


def uploaded_pcm(file: BinaryIO, max_seconds: float) -> NDArray[np.int16]:
    """The file's first audio stream: samples, shape (n,), int16, 24 kHz, channels mixed.

    Raises Failure: not a sound file, empty, or longer than `max_seconds`.
    """
    max_samples = int(max_seconds * SPEECH_RATE_HZ)
    pieces: list[NDArray[np.int16]] = []
    count = 0
    try:
        # Titles and the like may be in any encoding; nobody reads them here.
        with av.open(file, "r", options=_OPTIONS, metadata_errors="ignore") as source:
            if not source.streams.audio:
                raise Failure(FailureType.INVALID_REQUEST, "The audio part holds no sound.")
            for piece in _resampled(source.decode(source.streams.audio[0])):
                pieces.append(piece)
                count += piece.size
                if count > max_samples:
                    raise Failure(
                        FailureType.TOO_LONG, f"The audio lasts longer than {max_seconds:g} seconds."
                    )
    except av.FFmpegError:
        raise Failure(
            FailureType.INVALID_REQUEST, f"The audio part could not be read. Send {_NAMES}."
        ) from None
    samples = np.concatenate(pieces) if pieces else np.zeros(0, np.int16)
    if not samples.size:
        raise Failure(FailureType.INVALID_REQUEST, "The audio part holds no sound.")
    return samples


def _resampled(frames: Iterable[av.AudioFrame]) -> Iterator[NDArray[np.int16]]:
    """Mono 24 kHz. Of recordings put one behind the other, each has a rate and channels of its own."""
    resampler, before = _resampler(), None
    for frame in frames:
        kind = (frame.format.name, frame.layout.name, frame.sample_rate)
        if before not in (None, kind):
            yield from map(_samples, resampler.resample(None))
            resampler = _resampler()
        before = kind
        yield from map(_samples, resampler.resample(frame))
    yield from map(_samples, resampler.resample(None))


def _resampler() -> av.AudioResampler:
    return av.AudioResampler(format="s16", layout="mono", rate=SPEECH_RATE_HZ)


def _samples(frame: av.AudioFrame) -> NDArray[np.int16]:
    return frame.to_ndarray().reshape(-1).astype(np.int16, copy=False)
