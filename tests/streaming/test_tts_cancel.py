"""A caller who leaves: the voice stops, and its place is free for the next."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence

import numpy as np
import pytest

from services.tts.embedded_provider import EmbeddedProvider, Engine, Stopped
from services.tts.espeak_engine import EspeakEngine
from services.tts.pico.engine import PicoEngine
from services.tts.providers import Recording, Utterance
from services.tts.voices import Voice

VOICE = Voice("endless", "Endless", ("en",), "neutral")


class EndlessEngine:
    """Speaks its warming-up word, and never ends any other."""

    voices: Sequence[Voice] = (VOICE,)

    def __init__(self) -> None:
        self.speaking = threading.Event()
        self.stopped = threading.Event()

    def recording(self, utterance: Utterance, stop: threading.Event) -> Recording:
        if utterance.text != "1":
            self.speaking.set()
            stop.wait()
            self.stopped.set()
            raise Stopped
        return Recording(np.zeros(1, np.float32), 24_000)


async def test_cancelling_stops_the_engine_and_frees_its_place() -> None:
    engine = EndlessEngine()
    provider = EmbeddedProvider([lambda: engine], concurrency=1)
    await provider.prepare()
    for _ in range(2):
        engine.speaking.clear()
        engine.stopped.clear()
        task = asyncio.create_task(provider.recording(Utterance("forever", VOICE)))
        assert await asyncio.to_thread(engine.speaking.wait, 5)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await asyncio.to_thread(engine.stopped.wait, 5)
    await provider.close()


@pytest.mark.parametrize("make", [PicoEngine, EspeakEngine])
def test_an_engine_told_to_stop_gives_up_in_mid_sentence(make: Callable[[], Engine]) -> None:
    engine = make()
    stop = threading.Event()
    stop.set()
    with pytest.raises(Stopped):
        engine.recording(Utterance("One two three four five. " * 80, engine.voices[0]), stop)


@pytest.mark.parametrize("make", [PicoEngine, EspeakEngine])
async def test_voices_speaking_at_once_do_not_disturb_each_other(make: Callable[[], Engine]) -> None:
    provider = EmbeddedProvider([make], concurrency=4)
    await provider.prepare()
    voice = (await provider.voices())[0]
    texts = ["The sun rose.", "Rice is served in round bowls.", "A chicken leg.", "Four hours of work."]
    alone = [await provider.recording(Utterance(text, voice)) for text in texts]
    together = await asyncio.gather(*(provider.recording(Utterance(text, voice)) for text in texts))
    for one, other in zip(alone, together, strict=True):
        assert one.waveform.tobytes() == other.waveform.tobytes()
        assert one.words == other.words
    await provider.close()
