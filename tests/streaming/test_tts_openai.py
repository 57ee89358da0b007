"""TtsService over the `openai` library, against a local server of that speech endpoint."""

from __future__ import annotations

import asyncio
import io
import struct
import wave
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from visavis.rpc.failures import Failure, FailureType
from visavis.v1 import tts_pb2, tts_pb2_grpc

from services.tts.settings import OpenAiVoice, TtsSettings
from tests.fakes.openai_speech_server import (
    SECONDS_PER_WORD,
    OpenAiSpeechServer,
    Refusal,
    Sound,
    openai_speech_server,
    tone,
)
from tests.fakes.tts_caller import running_tts, speech

TWO_VOICES = (
    OpenAiVoice(name="af_heart", gender="female", languages=("en-US", "en-GB")),
    OpenAiVoice(name="zf_xiaobei", gender="female", languages=("zh",)),
)


@asynccontextmanager
async def openai_behind_tts(
    **settings: Any,
) -> AsyncIterator[tuple[OpenAiSpeechServer, tts_pb2_grpc.TtsServiceAsyncStub]]:
    async with (
        openai_speech_server() as openai,
        running_tts(TtsSettings(openai_base_url=openai.url, openai_retries=0, **settings)) as stub,
    ):
        yield openai, stub


def wav(rate_hz: int, channels: int = 1) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as riff:
        riff.setnchannels(channels)
        riff.setsampwidth(2)
        riff.setframerate(rate_hz)
        riff.writeframes(tone(2, rate_hz * channels))
    return file.getvalue()


def written_while_speaking(content: bytes) -> bytes:
    """The same file as a server writes it that does not know its length yet."""
    unknown = struct.pack("<I", 0xFFFFFFFF)
    return content[:4] + unknown + content[8:40] + unknown + content[44:]


async def test_every_setting_reaches_the_server() -> None:
    async with openai_behind_tts(openai_api_key="sk-site", openai_model="kokoro") as (openai, stub):
        spoken = await speech(stub, "Hello there", voice="onyx", speaking_rate=1.25)
    request = openai.received[0]
    assert request.path == "/v1/audio/speech"
    assert request.headers["authorization"] == "Bearer sk-site"
    assert request.body == {
        "input": "Hello there",
        "model": "kokoro",
        "voice": "onyx",
        "response_format": "pcm",
        "speed": 1.25,
    }
    assert spoken.started.provider.name == "openai"
    assert not spoken.started.provider.embedded


async def test_a_server_without_keys_is_enough() -> None:
    async with openai_behind_tts() as (_, stub):
        spoken = await speech(stub, "One two three")
    assert spoken.seconds == pytest.approx(3 * SECONDS_PER_WORD, abs=0.02)


async def test_words_share_the_speech_by_their_letters() -> None:
    async with openai_behind_tts() as (_, stub):
        words = (await speech(stub, "four and twenty")).finished.words
    assert [word.text for word in words] == ["four", "and", "twenty"]
    assert words[0].end_seconds == pytest.approx(3 * SECONDS_PER_WORD * 4 / 13, abs=0.03)


async def test_a_sample_that_is_cut_between_two_pieces_stays_whole() -> None:
    pcm = tone(2)
    async with openai_behind_tts() as (openai, stub):
        openai.will_answer(Sound([pcm]), Sound([pcm[:1], pcm[1:4_097], pcm[4_097:]]))
        whole, pieces = await speech(stub, "Two words"), await speech(stub, "Two words")
    assert whole.pcm == pieces.pcm


@pytest.mark.parametrize(
    "content", [wav(22_050), wav(48_000, channels=2), written_while_speaking(wav(16_000))]
)
async def test_a_wav_file_is_heard_at_its_own_rate(content: bytes) -> None:
    async with openai_behind_tts(openai_format="wav") as (openai, stub):
        openai.will_answer(Sound([content[:30], content[30:]], "audio/wav"))
        spoken = await speech(stub, "Two words")
    assert openai.received[0].body["response_format"] == "wav"
    assert spoken.seconds == pytest.approx(2 * SECONDS_PER_WORD, abs=0.02)


async def test_configured_voices_are_listed_and_speak_their_own_languages() -> None:
    async with openai_behind_tts(openai_voices=TWO_VOICES) as (openai, stub):
        voices = (await stub.ListVoices(tts_pb2.ListVoicesRequest())).voices
        await speech(stub, "你好", language="zh-CN")
        with pytest.raises(Failure) as caught:
            await speech(stub, "Guten Tag", language="de")
    assert [(voice.name, voice.gender, voice.default) for voice in voices] == [
        ("af_heart", "female", True),
        ("zf_xiaobei", "female", True),
    ]
    assert openai.received[0].body["voice"] == "zf_xiaobei"
    assert caught.value.type is FailureType.UNSUPPORTED_LANGUAGE


async def test_only_the_first_voice_of_a_language_is_its_default() -> None:
    async with openai_behind_tts() as (_, stub):
        voices = (await stub.ListVoices(tts_pb2.ListVoicesRequest())).voices
    assert [voice.name for voice in voices if voice.default] == ["nova"]
    assert {voice.gender for voice in voices} == {"female", "male", "neutral"}


@pytest.mark.parametrize(
    ("answer", "failure"),
    [
        (Refusal(401, "invalid_api_key"), FailureType.SITE_QUOTA_EXHAUSTED),
        (Refusal(403), FailureType.SITE_QUOTA_EXHAUSTED),
        (Refusal(429, "insufficient_quota"), FailureType.SITE_QUOTA_EXHAUSTED),
        (Refusal(429, "rate_limit_exceeded"), FailureType.RATE_LIMITED),
        (Refusal(400), FailureType.INVALID_REQUEST),
        (Refusal(404, "model_not_found"), FailureType.UPSTREAM_UNAVAILABLE),
        (Refusal(500), FailureType.UPSTREAM_UNAVAILABLE),
        (Sound([b'{"error": "no"}'], "application/json"), FailureType.UPSTREAM_UNAVAILABLE),
        (Sound([b"ID3"], "audio/mpeg"), FailureType.UPSTREAM_UNAVAILABLE),
        (Sound([b"RIFF\0\0\0\0WAVEfmt "], "audio/wav"), FailureType.UPSTREAM_UNAVAILABLE),
        (Sound([tone(1)], ending="break"), FailureType.UPSTREAM_UNAVAILABLE),
        (Sound([]), FailureType.NOTHING_SPEAKABLE),
    ],
)
async def test_the_server_s_errors_get_our_names_and_keep_their_words_to_themselves(
    answer: Refusal | Sound, failure: FailureType
) -> None:
    async with openai_behind_tts() as (openai, stub):
        openai.will_answer(answer)
        with pytest.raises(Failure) as caught:
            await speech(stub, "Hi")
    assert caught.value.type is failure
    assert "key" not in caught.value.detail


async def test_a_rate_limit_says_when_to_come_back() -> None:
    async with openai_behind_tts() as (openai, stub):
        openai.will_answer(Refusal(429, headers={"Retry-After": "7"}))
        with pytest.raises(Failure) as caught:
            await speech(stub, "Hi")
    assert caught.value.retry_after_seconds == 7


async def test_a_pitch_is_refused_by_name() -> None:
    async with openai_behind_tts() as (openai, stub):
        with pytest.raises(Failure, match="pitch_semitones") as caught:
            await speech(stub, "Hi", pitch_semitones=2)
    assert caught.value.type is FailureType.UNSUPPORTED_SETTING
    assert not openai.received


async def test_a_passing_failure_is_tried_again() -> None:
    async with openai_speech_server() as openai:
        openai.will_answer(Refusal(503, headers={"Retry-After-Ms": "1"}))
        async with running_tts(TtsSettings(openai_base_url=openai.url, openai_retries=1)) as stub:
            spoken = await speech(stub, "Hi")
    assert len(openai.received) == 2
    assert spoken.seconds > 0


@pytest.mark.parametrize("limit", ["openai_stall_seconds", "openai_seconds"])
async def test_a_silent_server_is_given_up_on(limit: str) -> None:
    async with openai_behind_tts(**{limit: 0.3}) as (openai, stub):
        openai.will_answer(Sound([tone(1)], ending="stall"))
        with pytest.raises(Failure) as caught:
            await speech(stub, "Hi")
        assert caught.value.type is FailureType.UPSTREAM_UNAVAILABLE
        await asyncio.wait_for(openai.client_left.wait(), 5)


async def test_cancelling_closes_the_connection_to_the_server() -> None:
    async with openai_behind_tts() as (openai, stub):
        openai.will_answer(Sound([tone(1)], ending="stall"))
        call = stub.Speak(tts_pb2.SpeakRequest(text="Hi"))
        await openai.asked.wait()
        call.cancel()
        await asyncio.wait_for(openai.client_left.wait(), 5)


async def test_no_server_is_an_outage() -> None:
    async with openai_speech_server() as gone:
        pass
    async with running_tts(TtsSettings(openai_base_url=gone.url, openai_retries=0)) as stub:
        with pytest.raises(Failure) as caught:
            await speech(stub, "Hi")
    assert caught.value.type is FailureType.UPSTREAM_UNAVAILABLE
