"""How written text is read out, and how what was said finds back to what is written."""

from __future__ import annotations

import multiprocessing
import threading
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor

import pytest

from services.lipsync.training.espeak_speaker import spoken_phones
from services.tts.english_reading import ENGLISH
from services.tts.espeak_engine import EspeakEngine
from services.tts.mandarin_reading import MANDARIN
from services.tts.providers import Timing, Utterance
from services.tts.reading import reading


@pytest.fixture(scope="module")
def apart() -> Iterator[Executor]:
    """Another process: in this one espeak-ng may be set up already, as the speech stage needs it."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as executor:
        yield executor


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
        ("12/25/2020, 25/12/2020 and 13/13/2020", "December 25, 2020, December 25, 2020 and 13/13/2020"),
        ("$20-30 or €5–€8, but $5-10.50", "20 to 30 dollars or 5 to 8 euros, but 5 dollars-10.50"),
        ("5 USD, Fig. 3 on p. 7 and Mt. Fuji", "5 US dollars, figure 3 on page 7 and Mount Fuji"),
        ("16:9 at 1920x1080 in 1900", "16 to 9 at 1920 by 1080 in 19 hundred"),
        ("x = 5 and 10^3", "x equals 5 and 10 to the power of 3"),
        ("5 grams of Greek yoghurt, a 4K film", "5 grams of Greek yoghurt, a 4K film"),
    ],
)
def test_english_is_read_as_people_say_it(written: str, spoken: str) -> None:
    assert reading(written, ENGLISH).spoken == spoken


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("2026年11月20日", "二零二六年十一月二十日"),
        ("2026-11-20，2026/1/5", "二零二六年十一月二十日，二零二六年一月五日"),
        ("下午3:30，4:05，5:00，2:10", "下午三点三十分，四点零五分，五点，两点十分"),
        ("¥500，$5万，€20-30", "五百元，五万美元，二十到三十欧元"),
        ("5.2%和3/4", "百分之五点二和四分之三"),
        ("60公里/小时或60km/h", "六十公里每小时或六十公里每小时"),
        ("3-5天，气温是−5°C，跑了2h", "三到五天，气温是负五摄氏度，跑了两小时"),
        ("电话13812345678或010-12345678", "电话一三八一二三四五六七八或零一零一二三四五六七八"),
        ("2个，12个，第2个，2.5，2万", "两个，十二个，第二个，二点五，两万"),
        ("115，1005，12,345", "一百一十五，一千零五，一万二千三百四十五"),
        ("20000，10010，100000000，120003000", "二万，一万零一十，一亿，一亿二千万三千"),
        ("10.25，0.5和99", "十点二五，零点五和九十九"),
        ("3:2，2+3=5，5×3，No.1，007", "三比二，二加三等于五，五乘三，第一，零零七"),
        ("访问www.example.com，写信给me@example.com", "访问www点example点com，写信给me@example点com"),
        ("2026/13/40", "二千零二十六/十三/四十"),
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
def test_the_engines_say_what_is_meant(apart: Executor, written: str, said: str) -> None:
    def phones(text: str) -> list[str]:
        return apart.submit(spoken_phones, text, "en-us").result()

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
