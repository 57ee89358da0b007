"""TtsService with its embedded voices on a real channel: what it says, what it refuses, how it sounds."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import numpy as np
import pytest
import pytest_asyncio
from visavis.rpc.failures import Failure, FailureType
from visavis.v1 import tts_pb2, tts_pb2_grpc

from services.tts.loudness import loudness_lufs
from services.tts.settings import ProviderChoice, TtsSettings
from tests.fakes.tts_caller import RATE_HZ, running_tts, speech

ENGLISH = "The boy was there when the sun rose, and he looked happy. It costs $5.50 in 2026!"
MANDARIN = "你好，我叫小易。今天天气很好。"
VOICES = [
    ("pico-en-US", ENGLISH),
    ("pico-en-US-male", ENGLISH),
    ("pico-en-GB", ENGLISH),
    ("espeak-en", ENGLISH),
    ("espeak-zh", MANDARIN),
]
OTHERS = [
    ("de-DE", "Der Junge war schon dort, als die Sonne aufging."),
    ("es-ES", "El niño estaba allí cuando salió el sol."),
    ("fr-FR", "Le garçon était là quand le soleil s'est levé."),
    ("it-IT", "Il ragazzo era lì quando sorse il sole."),
]

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stub() -> AsyncIterator[tts_pb2_grpc.TtsServiceAsyncStub]:
    settings = TtsSettings(provider=ProviderChoice.EMBEDDED, max_characters=500)
    async with running_tts(settings) as stub:
        yield stub


@pytest.mark.parametrize(("voice", "text"), VOICES)
async def test_a_voice_speaks_at_an_even_loudness_without_clipping(
    stub: tts_pb2_grpc.TtsServiceAsyncStub, voice: str, text: str
) -> None:
    spoken = await speech(stub, text, voice=voice)
    assert spoken.started.voice == voice
    assert spoken.started.sample_rate_hz == RATE_HZ
    assert spoken.started.provider.embedded
    assert abs(loudness_lufs(spoken.waveform, RATE_HZ) + 19) < 1
    assert np.abs(spoken.waveform).max() <= 10 ** (-1 / 20) + 1e-4


@pytest.mark.parametrize(("voice", "text"), VOICES)
async def test_speech_begins_and_ends_in_a_short_silence(
    stub: tts_pb2_grpc.TtsServiceAsyncStub, voice: str, text: str
) -> None:
    waveform = np.abs((await speech(stub, text, voice=voice)).waveform)
    assert waveform[0] == waveform[-1] == 0
    audible = np.flatnonzero(waveform > 0.002 * waveform.max())
    assert audible[0] <= 0.02 * RATE_HZ
    assert waveform.size - audible[-1] <= 0.02 * RATE_HZ


@pytest.mark.parametrize(("voice", "text"), VOICES)
async def test_words_cover_the_text_in_order_and_lie_within_the_speech(
    stub: tts_pb2_grpc.TtsServiceAsyncStub, voice: str, text: str
) -> None:
    spoken = await speech(stub, text, voice=voice)
    words = spoken.finished.words
    assert "".join(word.text for word in words).replace(" ", "") == text.replace(" ", "")
    assert len(words) > 8
    times = [time for word in words for time in (word.start_seconds, word.end_seconds)]
    assert times == sorted(times)
    assert times[0] >= 0
    assert times[-1] <= spoken.finished.duration_seconds == spoken.seconds


@pytest.mark.parametrize(("language", "text"), OTHERS)
async def test_another_language_is_spoken_by_its_own_voice(
    stub: tts_pb2_grpc.TtsServiceAsyncStub, language: str, text: str
) -> None:
    spoken = await speech(stub, text, language=language[:2])
    assert spoken.started.voice == f"pico-{language}"
    assert abs(loudness_lufs(spoken.waveform, RATE_HZ) + 19) < 1
    assert [word.text for word in spoken.finished.words] == text.split()
    assert 0.04 < spoken.seconds / len(text) < 0.12


async def test_chinese_within_english_is_read_by_the_chinese_voice(
    stub: tts_pb2_grpc.TtsServiceAsyncStub,
) -> None:
    without = await speech(stub, "They say every morning.", language="en")
    within = await speech(stub, "They say 你好，小易 every morning.", language="en")
    assert [word.text for word in within.finished.words] == [
        *("They", "say", "你好，", "小", "易", "every", "morning.")
    ]
    assert within.seconds - without.seconds > 0.8
    assert within.started.voice == "pico-en-US"


async def test_english_within_chinese_is_read_too(stub: tts_pb2_grpc.TtsServiceAsyncStub) -> None:
    spoken = await speech(stub, "我用Windows 11系统。", language="zh")
    assert [word.text for word in spoken.finished.words] == ["我", "用", "Windows", "11", "系统。"]
    words = {word.text: word.end_seconds - word.start_seconds for word in spoken.finished.words}
    assert words["Windows"] > 0.25


async def test_mandarin_takes_about_a_quarter_of_a_second_for_a_character(
    stub: tts_pb2_grpc.TtsServiceAsyncStub,
) -> None:
    spoken = await speech(stub, MANDARIN, language="zh-CN")
    assert spoken.started.voice == "espeak-zh"
    characters = len(re.findall(r"\w", MANDARIN))
    assert 0.15 < spoken.seconds / characters < 0.5


async def test_english_takes_about_a_third_of_a_second_for_a_word(
    stub: tts_pb2_grpc.TtsServiceAsyncStub,
) -> None:
    text = "The boy was there when the sun rose and he looked happy"
    spoken = await speech(stub, text, language="en")
    assert 0.15 < spoken.seconds / len(text.split()) < 0.5


@pytest.mark.parametrize(("voice", "text"), VOICES)
async def test_the_same_utterance_is_the_same_bytes_whatever_was_said_before(
    stub: tts_pb2_grpc.TtsServiceAsyncStub, voice: str, text: str
) -> None:
    first = await speech(stub, text, voice=voice)
    await speech(stub, text[: len(text) // 2], voice=voice, speaking_rate=1.5, pitch_semitones=3)
    second = await speech(stub, text, voice=voice)
    assert first.pcm == second.pcm
    assert first.finished == second.finished


@pytest.mark.parametrize(("voice", "text"), VOICES)
@pytest.mark.parametrize("rate", [0.5, 2.0])
async def test_a_rate_changes_the_length(
    stub: tts_pb2_grpc.TtsServiceAsyncStub, voice: str, text: str, rate: float
) -> None:
    own = await speech(stub, text, voice=voice)
    changed = await speech(stub, text, voice=voice, speaking_rate=rate)
    assert changed.seconds * rate == pytest.approx(own.seconds, rel=0.2)


@pytest.mark.parametrize(
    ("voice", "text"),
    [(name, "妈妈妈妈妈妈。" if "zh" in name else "Mama, well are you all well now?") for name, _ in VOICES],
)
async def test_nine_semitones_move_the_pitch_by_as_much(
    stub: tts_pb2_grpc.TtsServiceAsyncStub, voice: str, text: str
) -> None:
    low = await speech(stub, text, voice=voice, pitch_semitones=-3)
    high = await speech(stub, text, voice=voice, pitch_semitones=6)
    assert pitch_hz(high.waveform) / pitch_hz(low.waveform) == pytest.approx(2 ** (9 / 12), rel=0.15)


async def test_the_man_speaks_at_a_man_s_pitch_and_the_woman_at_a_woman_s(
    stub: tts_pb2_grpc.TtsServiceAsyncStub,
) -> None:
    text = "Mama, well are you all well now?"
    man, woman = [
        pitch_hz((await speech(stub, text, voice=voice)).waveform)
        for voice in ("pico-en-US-male", "pico-en-US")
    ]
    assert 85 < man < 130
    assert 150 < woman < 255


async def test_a_long_speech_comes_in_chunks_of_whole_samples(
    stub: tts_pb2_grpc.TtsServiceAsyncStub,
) -> None:
    spoken = await speech(stub, ENGLISH, language="en")
    assert len(spoken.chunks) > 1
    assert all(0 < len(chunk) <= 64 * 1024 and len(chunk) % 2 == 0 for chunk in spoken.chunks)


async def test_a_single_short_word_is_spoken(stub: tts_pb2_grpc.TtsServiceAsyncStub) -> None:
    spoken = await speech(stub, "Hi!", language="en")
    assert 0.1 < spoken.seconds < 1
    assert [word.text for word in spoken.finished.words] == ["Hi!"]


async def test_markup_in_a_text_is_read_and_not_obeyed(stub: tts_pb2_grpc.TtsServiceAsyncStub) -> None:
    spoken = await speech(stub, 'One <volume level="0"> two </volume> <three', language="en")
    assert [word.text for word in spoken.finished.words][-1] == "<three"
    assert spoken.finished.words[-1].end_seconds > spoken.finished.words[-1].start_seconds


@pytest.mark.parametrize(
    ("text", "fields", "failure"),
    [
        ("", {}, FailureType.NOTHING_SPEAKABLE),
        ("… — !? 😀", {}, FailureType.NOTHING_SPEAKABLE),
        ("привет", {"voice": "pico-en-US"}, FailureType.NOTHING_SPEAKABLE),
        ("\u17e4", {"voice": "espeak-en"}, FailureType.NOTHING_SPEAKABLE),
        ("a" * 501, {}, FailureType.TOO_LONG),
        ("Hello", {"voice": "hal"}, FailureType.UNKNOWN_VOICE),
        ("Hello", {"voice": "espeak-zh", "language": "en"}, FailureType.INVALID_REQUEST),
        ("Hej", {"language": "sv"}, FailureType.UNSUPPORTED_LANGUAGE),
        ("Hello", {"speaking_rate": 2.5}, FailureType.INVALID_REQUEST),
        ("Hello", {"speaking_rate": float("nan")}, FailureType.INVALID_REQUEST),
        ("Hello", {"pitch_semitones": -13}, FailureType.INVALID_REQUEST),
        ("Hello", {"pitch_semitones": float("nan")}, FailureType.INVALID_REQUEST),
        ("Hello", {"pitch_semitones": 10, "voice": "espeak-en"}, FailureType.UNSUPPORTED_SETTING),
        ("Hello", {"pitch_semitones": -10, "voice": "pico-en-US-male"}, FailureType.UNSUPPORTED_SETTING),
    ],
)
async def test_what_cannot_be_spoken_is_refused_by_its_own_name(
    stub: tts_pb2_grpc.TtsServiceAsyncStub, text: str, fields: dict[str, str | float], failure: FailureType
) -> None:
    with pytest.raises(Failure) as caught:
        await speech(stub, text, **fields)
    assert caught.value.type is failure


async def test_an_unknown_voice_is_answered_with_the_known_ones(
    stub: tts_pb2_grpc.TtsServiceAsyncStub,
) -> None:
    with pytest.raises(Failure, match="pico-en-US, pico-en-US-male, pico-en-GB, pico-de-DE"):
        await speech(stub, "Hello", voice="hal")


async def test_voices_are_listed_with_one_default_for_each_language(
    stub: tts_pb2_grpc.TtsServiceAsyncStub,
) -> None:
    voices = (await stub.ListVoices(tts_pb2.ListVoicesRequest())).voices
    named = {name for name, _ in VOICES} | {f"pico-{language}" for language, _ in OTHERS}
    assert {voice.name for voice in voices} == named
    defaults = [voice.languages[0] for voice in voices if voice.default]
    assert defaults == ["en-US", "de-DE", "es-ES", "fr-FR", "it-IT", "cmn-CN"]
    assert all(voice.title and voice.gender and voice.provider.name == "embedded" for voice in voices)


async def test_a_region_chooses_its_own_voice(stub: tts_pb2_grpc.TtsServiceAsyncStub) -> None:
    assert (await speech(stub, "Hello", language="en-GB")).started.voice == "pico-en-GB"
    assert (await speech(stub, "Hello", language="en-AU")).started.voice == "pico-en-US"


def pitch_hz(waveform: np.ndarray[tuple[int], np.dtype[np.float32]]) -> float:
    """The median over voiced 60 ms windows of the strongest lag between 60 and 500 Hz."""
    size, pitches = 3 * RATE_HZ // 50, []
    for start in range(0, waveform.size - size, size):
        window = waveform[start : start + size] * np.hanning(size)
        similarity = np.fft.irfft(np.abs(np.fft.rfft(window, 2 * size)) ** 2)
        lags = similarity[RATE_HZ // 500 : RATE_HZ // 60]
        if similarity[0] > 1 and lags.max() > 0.5 * similarity[0]:
            pitches.append(RATE_HZ / (RATE_HZ // 500 + int(lags.argmax())))
    return float(np.median(pitches))
