"""An uploaded sound file goes in (any common container, rate and channels), mono 24 kHz PCM comes out."""

from __future__ import annotations

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
        with av.open(file, "r", options=_OPTIONS) as source:
            if not source.streams.audio:
                raise Failure(FailureType.INVALID_REQUEST, "The audio part holds no sound.")
            resampler = av.AudioResampler(format="s16", layout="mono", rate=SPEECH_RATE_HZ)
            for frame in source.decode(source.streams.audio[0]):
                for resampled in resampler.resample(frame):
                    pieces.append(_samples(resampled))
                    count += resampled.samples
                if count > max_samples:
                    raise Failure(
                        FailureType.TOO_LONG, f"The audio lasts longer than {max_seconds:g} seconds."
                    )
            pieces.extend(_samples(resampled) for resampled in resampler.resample(None))
    except av.FFmpegError:
        raise Failure(
            FailureType.INVALID_REQUEST, f"The audio part could not be read. Send {_NAMES}."
        ) from None
    samples = np.concatenate(pieces) if pieces else np.zeros(0, np.int16)
    if not samples.size:
        raise Failure(FailureType.INVALID_REQUEST, "The audio part holds no sound.")
    return samples


def _samples(frame: av.AudioFrame) -> NDArray[np.int16]:
    return frame.to_ndarray().reshape(-1).astype(np.int16, copy=False)
