"""How written text is read out, and how what was said finds back to what is written."""

from __future__ import annotations

import threading

import pytest

from services.tts.english_reading import ENGLISH
from services.tts.espeak_engine import EspeakEngine
from services.tts.mandarin_reading import MANDARIN
from services.tts.providers import Timing, Utterance
from services.tts.reading import reading


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("One fact, i.e. a truth", "One fact, that is, a truth"),
        ("5GB and 1 GB", "5 gigabytes and 1 gigabyte"),
        ("at 60 km/h for 10 km", "at 60 kilometers per hour for 10 kilometers"),
        ("10 m² at 20°C", "10 square meters at 20 degrees Celsius"),
        ("$5.50, $1, €20 and £2.05", "5 dollars and 50 cents, 1 dollar, 20 euros and 2 pounds and 5 pence"),
        ("$0.99, $3.00, €2.01 and $1.5", "99 cents, 3 dollars, 2 euros and 1 cent and 1.5 dollars"),
        ("$1.5 billion or ¥2,500", "1.5 billion dollars or 2,500 Japanese yen"),
        ("in 1987, in 1905 and in the 1990s", "in 19 87, in 1905 and in the 19 nineties"),
        ("on 2026-11-20", "on November 20, 2026"),
        ("at 10:00, 17:05 and 9:00 am", "at 10 o'clock, 17 oh 5 and 9 am"),
        ("½ or 3/4, 24/7", "one half or three quarters, 24 7"),
        ("5-10 days and 555-123-4567", "5 to 10 days and 555-123-4567"),
        ("5 × 3 or 5 - 3", "5 times 3 or 5 minus 3"),
        ("~5, >5k, <3 and 2x", "about 5, more than 5 thousand, less than 3 and 2 times"),
        ("No. 5 vs. #1", "number 5 versus number 1"),
        ("https://www.example.com or me@example.com", " example.com or me at example.com"),
        ("and/or HTML", "and or H T M L"),
        ("H₂O and v2.0", "H2O and version 2.0"),
        ("2026-13-40", "2026-13-40"),
        ("5 grams of Greek yoghurt, a 4K film", "5 grams of Greek yoghurt, a 4K film"),
    ],
)
def test_english_is_read_as_people_say_it(written: str, spoken: str) -> None:
    assert reading(written, ENGLISH).spoken == spoken


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("2026年11月20日", "二零二六年11月20日"),
        ("2026-11-20", "二零二六年11月20日"),
        ("下午3:30，4:05，5:00", "下午3点30分，4点零5分，5点"),
        ("¥500，$5万", "五百元，5万美元"),
        ("5.2%和3/4", "百分之5点二和4分之3"),
        ("60公里/小时或60km/h", "60公里每小时或60公里每小时"),
        ("3-5天，气温是−5°C", "3到5天，气温是负5摄氏度"),
        ("电话13812345678", "电话一三八一二三四五六七八"),
        ("2个，12个，2.5", "两个，12个，2点五"),
        ("115，1005，12,345", "一百一十五，一千零五，一万二千三百四十五"),
        ("20000，10010，100000000，120003000", "二万，一万零一十，一亿，一亿二千万三千"),
        ("10.25，0.5和99", "10点二五，0点五和99"),
    ],
)
def test_mandarin_is_read_as_people_say_it(written: str, spoken: str) -> None:
    assert reading(written, MANDARIN).spoken == spoken


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("5GB now", "five gigabytes now"),
        ("10 km/h now", "ten kilometers per hour now"),
        ("$5.50 now", "five dollars and fifty cents now"),
        ("¥500 now", "five hundred Japanese yen now"),
        ("in 1987 he", "in nineteen eighty seven he"),
        ("3/4 of it", "three quarters of it"),
    ],
)
def test_the_engines_say_what_is_meant(written: str, said: str) -> None:
    engine = EspeakEngine()

    def phones(text: str) -> list[str]:
        recording = engine.recording(Utterance(text, engine.voices[0]), threading.Event())
        return [phone.text for phone in recording.phones]

    assert phones(reading(written, ENGLISH).spoken) == phones(said)
    assert phones(written) != phones(said)


def test_words_are_shown_as_they_are_written() -> None:
    read = reading("It costs $5.50, i.e. too much.", ENGLISH)
    timings = [Timing(word, index, index + 1) for index, word in enumerate(read.spoken.split())]
    words = read.written_words(timings)
    assert [word.text for word in words] == ["It", "costs", "$5.50,", "i.e.", "too", "much."]
    money = words[2]
    # "5 dollars and 50 cents," are five spoken words.
    assert (money.start_seconds, money.end_seconds) == (2, 7)


def test_what_nobody_says_stays_with_the_word_before() -> None:
    words = reading("Left — and right", ()).written_words([Timing("Left", 0, 1), Timing("and right", 1, 2)])
    assert [word.text for word in words] == ["Left —", "and right"]


def test_nothing_said_is_no_words() -> None:
    assert reading("Left", ()).written_words([]) == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("价格是¥500。", ["价", "格", "是", "¥500。"]),
        ("有1,234人", ["有", "1,234", "人"]),
        ("用GitHub吧", ["用", "GitHub", "吧"]),
    ],
)
def test_mandarin_words_keep_numbers_and_names_whole(text: str, words: list[str]) -> None:
    engine, read = EspeakEngine(), reading(text, MANDARIN)
    recording = engine.recording(Utterance(read.spoken, engine.voices[1]), threading.Event())
    assert [word.text for word in read.written_words(recording.words)] == words
