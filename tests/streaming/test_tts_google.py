"""TtsService over Google's own client library, against a local server of Google's API."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import grpc
import pytest
from google.cloud import texttospeech_v1beta1 as google_tts
from visavis.rpc.failures import Failure, FailureType
from visavis.v1 import tts_pb2, tts_pb2_grpc

from services.tts.settings import ProviderChoice, TtsSettings
from tests.fakes.google_tts_server import (
    SECONDS_PER_WORD,
    Context,
    GoogleTts,
    breaking_off,
    falling_silent,
    google_tts_server,
    refusing,
    streamed_tones,
    tones,
)
from tests.fakes.tts_caller import RATE_HZ, running_tts, speech

STREAMING = "en-US-Chirp3-HD-Kore"


@asynccontextmanager
async def google_behind_tts(
    google_seconds: float = 20,
) -> AsyncIterator[tuple[GoogleTts, tts_pb2_grpc.TtsServiceAsyncStub]]:
    async with google_tts_server() as google:
        settings = TtsSettings(
            provider=ProviderChoice.GOOGLE, google_endpoint=google.address, google_seconds=google_seconds
        )
        async with running_tts(settings) as stub:
            yield google, stub


async def never(
    request: google_tts.SynthesizeSpeechRequest, context: Context
) -> google_tts.SynthesizeSpeechResponse:
    await asyncio.Event().wait()
    raise AssertionError("unreachable")


async def test_every_setting_reaches_google() -> None:
    async with google_behind_tts() as (google, stub):
        await speech(stub, "Hi", voice="en-US-Wavenet-A", speaking_rate=1.25, pitch_semitones=-2.5)
    request = google.requests[0]
    assert request.voice.name == "en-US-Wavenet-A"
    assert request.voice.language_code == "en-US"
    assert request.audio_config.audio_encoding == google_tts.AudioEncoding.LINEAR16
    assert request.audio_config.sample_rate_hertz == RATE_HZ
    assert request.audio_config.speaking_rate == 1.25
    assert request.audio_config.pitch == -2.5


@pytest.mark.parametrize(
    ("language", "voice"),
    [
        ("en", "en-US-Wavenet-F"),
        ("zh", "cmn-CN-Wavenet-D"),
        ("zh-CN", "cmn-CN-Wavenet-D"),
        ("", "en-US-Wavenet-F"),
    ],
)
async def test_a_language_is_spoken_by_its_default_voice(language: str, voice: str) -> None:
    async with google_behind_tts() as (google, stub):
        spoken = await speech(stub, "Hi", language=language)
    assert spoken.started.voice == google.requests[0].voice.name == voice
    assert spoken.started.provider.name == "google"
    assert not spoken.started.provider.embedded


async def test_words_are_timed_by_the_marks_google_passed() -> None:
    async with google_behind_tts() as (google, stub):
        spoken = await speech(stub, "Tom & Jerry <3", language="en")
    assert google.requests[0].input.ssml == (
        '<speak><mark name="0"/>Tom <mark name="1"/>&amp; <mark name="2"/>Jerry <mark name="3"/>&lt;3</speak>'
    )
    words = spoken.finished.words
    assert [word.text for word in words] == ["Tom", "&", "Jerry", "<3"]
    assert [word.start_seconds for word in words] == pytest.approx(
        [number * SECONDS_PER_WORD for number in range(4)], abs=0.02
    )
    assert words[-1].end_seconds == pytest.approx(spoken.finished.duration_seconds)


async def test_a_voice_without_marks_gets_plain_text_and_guessed_times() -> None:
    async with google_behind_tts() as (google, stub):
        spoken = await speech(stub, "Tom & Jerry", voice="en-US-Studio-O")
    assert google.requests[0].input.text == "Tom & Jerry"
    assert not google.requests[0].enable_time_pointing
    assert [word.text for word in spoken.finished.words] == ["Tom", "Jerry"]


async def test_chinese_is_sent_without_marks_and_timed_by_its_characters() -> None:
    async with google_behind_tts() as (google, stub):
        spoken = await speech(stub, "你好，世界。", language="zh")
    assert google.requests[0].input.text == "你好，世界。"
    assert [word.text for word in spoken.finished.words] == ["你", "好，", "世", "界。"]


async def test_a_streaming_voice_is_asked_to_stream() -> None:
    async with google_behind_tts() as (google, stub):
        spoken = await speech(stub, "Tom & Jerry", voice=STREAMING, speaking_rate=1.5)
    assert not google.requests
    config, text = google.streams[0]
    assert config.streaming_config.voice.name == STREAMING
    assert config.streaming_config.voice.language_code == "en-US"
    audio = config.streaming_config.streaming_audio_config
    assert audio.audio_encoding == google_tts.AudioEncoding.PCM
    assert audio.sample_rate_hertz == RATE_HZ
    assert audio.speaking_rate == 1.5
    assert text.input.text == "Tom & Jerry"
    assert spoken.seconds == pytest.approx(3 * SECONDS_PER_WORD, abs=0.02)
    assert [word.text for word in spoken.finished.words] == ["Tom", "Jerry"]


async def test_a_voice_without_pitch_refuses_one_by_name() -> None:
    async with google_behind_tts() as (google, stub):
        with pytest.raises(Failure, match="pitch_semitones") as caught:
            await speech(stub, "Hi", voice=STREAMING, pitch_semitones=2)
    assert caught.value.type is FailureType.UNSUPPORTED_SETTING
    assert not google.streams


async def test_a_stream_that_breaks_off_in_an_outage_begins_again() -> None:
    async with google_behind_tts() as (google, stub):
        google.stream_answer = breaking_off(grpc.StatusCode.UNAVAILABLE)
        speaking = asyncio.create_task(speech(stub, "Hi", voice=STREAMING))
        await google.asked.wait()
        google.stream_answer = streamed_tones
        spoken = await speaking
    assert len(google.streams) == 2
    assert spoken.seconds == pytest.approx(SECONDS_PER_WORD, abs=0.02)


async def test_a_stream_that_breaks_off_for_another_reason_is_a_failure() -> None:
    async with google_behind_tts() as (google, stub):
        google.stream_answer = breaking_off(grpc.StatusCode.RESOURCE_EXHAUSTED)
        with pytest.raises(Failure) as caught:
            await speech(stub, "Hi", voice=STREAMING)
    assert caught.value.type is FailureType.RATE_LIMITED
    assert "key" not in caught.value.detail


async def test_a_stream_that_falls_silent_is_given_up_on() -> None:
    async with google_behind_tts(google_seconds=0.5) as (google, stub):
        google.stream_answer = falling_silent
        with pytest.raises(Failure) as caught:
            await speech(stub, "Hi", voice=STREAMING)
        assert caught.value.type is FailureType.UPSTREAM_UNAVAILABLE
        await asyncio.wait_for(google.abandoned.wait(), 5)


async def test_cancelling_closes_the_stream_from_google() -> None:
    async with google_behind_tts() as (google, stub):
        google.stream_answer = falling_silent
        call = stub.Speak(tts_pb2.SpeakRequest(text="Hi", voice=STREAMING))
        await google.asked.wait()
        call.cancel()
        await asyncio.wait_for(google.abandoned.wait(), 5)


async def test_the_list_of_voices_is_asked_for_once() -> None:
    async with google_behind_tts() as (google, stub):
        await asyncio.gather(*(speech(stub, "Hi", language="en") for _ in range(4)))
        voices = (await stub.ListVoices(tts_pb2.ListVoicesRequest())).voices
    assert google.lists_asked == 1
    assert [voice.name for voice in voices if voice.default] == ["cmn-CN-Wavenet-D", "en-US-Wavenet-F"]
    assert [voice.gender for voice in voices if voice.name == "en-US-Wavenet-A"] == ["male"]


@pytest.mark.parametrize(
    ("code", "failure"),
    [
        (grpc.StatusCode.UNAUTHENTICATED, FailureType.SITE_QUOTA_EXHAUSTED),
        (grpc.StatusCode.PERMISSION_DENIED, FailureType.SITE_QUOTA_EXHAUSTED),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, FailureType.RATE_LIMITED),
        (grpc.StatusCode.INVALID_ARGUMENT, FailureType.INVALID_REQUEST),
        (grpc.StatusCode.INTERNAL, FailureType.UPSTREAM_UNAVAILABLE),
        (grpc.StatusCode.DEADLINE_EXCEEDED, FailureType.UPSTREAM_UNAVAILABLE),
    ],
)
async def test_google_s_errors_get_our_names_and_keep_their_words_to_themselves(
    code: grpc.StatusCode, failure: FailureType
) -> None:
    async with google_behind_tts() as (google, stub):
        google.answer = refusing(code)
        with pytest.raises(Failure) as caught:
            await speech(stub, "Hi", language="en")
    assert caught.value.type is failure
    assert "key" not in caught.value.detail


async def test_a_passing_outage_is_tried_again() -> None:
    async with google_behind_tts() as (google, stub):
        unavailable = refusing(grpc.StatusCode.UNAVAILABLE)

        async def second_time_lucky(
            request: google_tts.SynthesizeSpeechRequest, context: Context
        ) -> google_tts.SynthesizeSpeechResponse:
            return await (unavailable if len(google.requests) == 1 else tones)(request, context)

        google.answer = second_time_lucky
        spoken = await speech(stub, "Hi", language="en")
    assert len(google.requests) == 2
    assert spoken.finished.duration_seconds > 0


async def test_a_lasting_outage_ends_within_the_limit() -> None:
    async with google_behind_tts(google_seconds=0.5) as (google, stub):
        google.answer = refusing(grpc.StatusCode.UNAVAILABLE)
        with pytest.raises(Failure) as caught:
            await speech(stub, "Hi", language="en")
    assert caught.value.type is FailureType.UPSTREAM_UNAVAILABLE
    assert caught.value.retry_after_seconds is not None


async def test_a_silent_google_is_given_up_on() -> None:
    async with google_behind_tts(google_seconds=0.5) as (google, stub):
        google.answer = never
        with pytest.raises(Failure) as caught:
            await speech(stub, "Hi", language="en")
        assert caught.value.type is FailureType.UPSTREAM_UNAVAILABLE
        await asyncio.wait_for(google.abandoned.wait(), 5)


async def test_cancelling_closes_the_call_to_google() -> None:
    async with google_behind_tts() as (google, stub):
        google.answer = never
        call = stub.Speak(tts_pb2.SpeakRequest(text="Hi", language="en"))
        await google.asked.wait()
        call.cancel()
        await asyncio.wait_for(google.abandoned.wait(), 5)


async def test_the_caller_s_deadline_closes_the_call_to_google() -> None:
    async with google_behind_tts() as (google, stub):
        google.answer = never
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            async for _ in stub.Speak(tts_pb2.SpeakRequest(text="Hi", language="en"), timeout=0.5):
                pass
        assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
        await asyncio.wait_for(google.abandoned.wait(), 5)


async def test_without_readable_credentials_the_process_says_what_to_set(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    nothing = tmp_path_factory.mktemp("google") / "missing.json"
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(nothing))
    with pytest.raises(SystemExit, match="GOOGLE_APPLICATION_CREDENTIALS"):
        async with running_tts(TtsSettings()):
            pass
