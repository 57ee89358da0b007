"""The speech service on its socket goes in; when its first chunk comes, and when it rests, come out."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from visavis.v1 import tts_pb2, tts_pb2_grpc

from services.tts.settings import ProviderChoice, TtsSettings
from tests.benchmark.idleness import until_busy, until_idle
from tests.benchmark.stopwatch import Stopwatch, Took, until_first
from tests.benchmark.voice_sentences import SENTENCES
from tests.fakes.google_tts_server import google_tts_server
from tests.fakes.openai_speech_server import openai_speech_server
from tests.fakes.tts_caller import running_tts

HELLO = "Hello there, it is good to see you."
# As long as the text service makes an utterance.
LONGEST = HELLO[:-1] + ", and so on" * 13 + "."
GOOGLE_VOICES = (("whole", "en-US-Wavenet-F"), ("streaming", "en-US-Chirp3-HD-Kore"))


async def first_chunks(runs: int) -> AsyncIterator[tuple[str, Sequence[Took]]]:
    """Each embedded voice with a short and a long sentence, then the providers at their local servers."""
    async with running_tts(TtsSettings(provider=ProviderChoice.EMBEDDED)) as stub:
        for voice in (await stub.ListVoices(tts_pb2.ListVoicesRequest())).voices:
            language = next(tag for tag in SENTENCES if any(own.startswith(tag) for own in voice.languages))
            for text in (SENTENCES[language][0], max(SENTENCES[language], key=len)):
                took = [await _first_chunk(stub, text, voice.name) for _ in range(runs)]
                yield f"{voice.name}, {len(text)} characters", took
    async with google_tts_server() as google:
        settings = TtsSettings(provider=ProviderChoice.GOOGLE, google_endpoint=google.address)
        async with running_tts(settings) as stub:
            for manner, name in GOOGLE_VOICES:
                # The first call opens the channel and asks for the list of voices.
                await _first_chunk(stub, HELLO, name)
                took = [await _first_chunk(stub, HELLO, name) for _ in range(runs)]
                yield f"Google's protocol, {manner}, local server", took
    async with openai_speech_server() as server:
        settings = TtsSettings(provider=ProviderChoice.OPENAI, openai_base_url=server.url)
        async with running_tts(settings) as stub:
            await _first_chunk(stub, HELLO, "nova")
            took = [await _first_chunk(stub, HELLO, "nova") for _ in range(runs)]
            yield "OpenAI's speech endpoint, local server", took


async def cancellations(runs: int) -> AsyncIterator[tuple[str, Sequence[Took]]]:
    """From the cancelled call until nothing computes."""
    async with running_tts(TtsSettings(provider=ProviderChoice.EMBEDDED)) as stub:
        for voice in ("pico-en-US", "espeak-en"):
            yield f"{voice}, in the longest utterance", [await _stopped(stub, voice) for _ in range(runs)]


async def _first_chunk(stub: tts_pb2_grpc.TtsServiceAsyncStub, text: str, voice: str) -> Took:
    call = stub.Speak(tts_pb2.SpeakRequest(text=text, voice=voice))
    return await until_first(aiter(call), lambda response: response.WhichOneof("event") == "chunk")


async def _stopped(stub: tts_pb2_grpc.TtsServiceAsyncStub, voice: str) -> Took:
    call = stub.Speak(tts_pb2.SpeakRequest(text=LONGEST, voice=voice))
    await anext(aiter(call))
    await until_busy()
    watch = Stopwatch()
    call.cancel()
    return await until_idle(watch)
