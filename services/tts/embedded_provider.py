"""An utterance in, a recording out, made in this process by the engine that owns the voice.

Chinese within another language is read by the Chinese voice; what engines read wrongly is rewritten first.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Protocol

import structlog

from services.tts.english_reading import ENGLISH
from services.tts.joining import joined
from services.tts.mandarin_reading import MANDARIN
from services.tts.providers import Recording, Utterance
from services.tts.reading import Reading, Rule, reading
from services.tts.script_runs import Run, script_runs
from services.tts.voices import Voice

log = structlog.get_logger()

_RULES: dict[str, Sequence[Rule]] = {"en": ENGLISH, "zh": MANDARIN}


@dataclass(frozen=True, slots=True)
class Part:
    """What one voice reads of an utterance, and how."""

    voice: Voice
    reading: Reading


class Stopped(Exception):
    """An engine gave up because it was told to."""


class EngineMissing(Exception):
    """What the engine needs is not installed; the text says what to do."""


class Engine(Protocol):
    """Speaks on the calling thread; several threads may call at once."""

    voices: Sequence[Voice]

    def recording(self, utterance: Utterance, stop: threading.Event) -> Recording:
        """The utterance spoken. Raises Stopped soon after `stop` is set."""


class EmbeddedProvider:
    """Speaks without keys and without network, `concurrency` utterances at a time."""

    name = "embedded"
    embedded = True

    def __init__(self, engines: Sequence[Callable[[], Engine]], *, concurrency: int) -> None:
        """`engines` make the engines, called in `prepare`; one that raises EngineMissing is left out."""
        self._makers = engines
        self._engine_of: dict[str, Engine] = {}
        self._voices: list[Voice] = []
        self._threads = ThreadPoolExecutor(concurrency, thread_name_prefix="speech")

    async def prepare(self) -> None:
        """Loads every engine and lets each voice say a word, so that the first caller does not wait."""
        await asyncio.get_running_loop().run_in_executor(self._threads, self._load)

    async def voices(self) -> Sequence[Voice]:
        """All engines' voices, in the engines' order."""
        return self._voices

    async def recording(self, utterance: Utterance) -> Recording:
        """The utterance as its voice says it; cancelling stops the thread within one slice of its work."""
        stop = threading.Event()
        try:
            return await asyncio.get_running_loop().run_in_executor(
                self._threads, self._spoken, utterance, stop
            )
        finally:
            stop.set()

    def parts(self, text: str, voice: Voice) -> Sequence[Part]:
        """Who reads what of the text, as the engines are given it."""
        runs = [Run(text, chinese=False)]
        chinese = next((other for other in self._voices if other.speaks("zh")), None)
        # The Chinese voice reads other scripts by itself.
        if chinese is not None and not voice.speaks("zh"):
            runs = script_runs(text)
        return [_part(run.text, chinese if run.chinese and chinese else voice) for run in runs]

    async def close(self) -> None:
        """Ends the threads."""
        self._threads.shutdown(wait=True, cancel_futures=True)

    def _spoken(self, utterance: Utterance, stop: threading.Event) -> Recording:
        recordings = [
            self._read(part, utterance, stop) for part in self.parts(utterance.text, utterance.voice)
        ]
        return recordings[0] if len(recordings) == 1 else joined(recordings)

    def _read(self, part: Part, utterance: Utterance, stop: threading.Event) -> Recording:
        asked = replace(utterance, text=part.reading.spoken, voice=part.voice)
        recording = self._engine_of[part.voice.name].recording(asked, stop)
        return replace(recording, words=part.reading.written_words(recording.words))

    def _load(self) -> None:
        for make in self._makers:
            try:
                engine = make()
            except EngineMissing as error:
                log.warning("engine left out", reason=str(error))
                continue
            for voice in engine.voices:
                engine.recording(Utterance("1", voice), threading.Event())
                self._engine_of[voice.name] = engine
                self._voices.append(voice)


def _part(text: str, voice: Voice) -> Part:
    rules = next((rules for language, rules in _RULES.items() if voice.speaks(language)), ())
    return Part(voice, reading(text, rules))
