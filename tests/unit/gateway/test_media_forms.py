"""Playlists, captions, WAV headers and ranges, as their standards want them."""

from __future__ import annotations

import io
import wave
from itertools import pairwise

import pytest

from gateway.http.ranges import RangeNotSatisfiable, byte_range
from gateway.media.captions import captions
from gateway.media.playlist import playlist
from gateway.media.wav import HEADER_BYTES, wav_header
from gateway.reply.events import FragmentEvent, UtteranceEvent, Word


def fragment(index: int) -> FragmentEvent:
    return FragmentEvent(index=index, url="", start_seconds=index * 0.32, duration_seconds=0.32)


def test_a_growing_playlist_is_only_ever_added_to() -> None:
    fragments = [fragment(index) for index in range(4)]
    texts = [playlist(fragments[:count], ended=False) for count in range(5)]
    assert all(later.startswith(earlier) for earlier, later in pairwise(texts))
    assert playlist(fragments, ended=True) == texts[-1] + "#EXT-X-ENDLIST\n"


def test_a_playlist_says_what_players_need() -> None:
    lines = playlist([fragment(0)], ended=False).splitlines()
    for line in (
        "#EXT-X-VERSION:7",
        "#EXT-X-TARGETDURATION:2",
        "#EXT-X-PLAYLIST-TYPE:EVENT",
        "#EXT-X-INDEPENDENT-SEGMENTS",
        "#EXT-X-START:TIME-OFFSET=0,PRECISE=YES",
        '#EXT-X-MAP:URI="init.mp4"',
        "#EXTINF:0.320,",
        "0.m4s",
    ):
        assert line in lines


def utterance(text: str, words: list[Word]) -> UtteranceEvent:
    return UtteranceEvent(
        index=0, text=text, audio_url="", start_seconds=3661.5, duration_seconds=2.0, words=words
    )


def test_captions_without_word_times_still_show_the_text() -> None:
    assert captions([utterance("Two\n\nlines --> here", [])]) == (
        "WEBVTT\n\n1\n01:01:01.500 --> 01:01:03.500\nTwo lines --&gt; here\n"
    )


def test_word_times_that_do_not_rise_inside_the_cue_are_left_out() -> None:
    words = [
        Word(text="a", start_seconds=3661.5, end_seconds=3662),
        Word(text="b", start_seconds=3662.0, end_seconds=3662),
        Word(text="c", start_seconds=3661.9, end_seconds=3662),
        Word(text="gone", start_seconds=3662.5, end_seconds=3663),
        Word(text="d", start_seconds=3699.0, end_seconds=3700),
    ]
    assert "a <01:01:02.000>b c d\n" in captions([utterance("a b c d", words)])


def test_a_wav_file_reads_back() -> None:
    with wave.open(io.BytesIO(wav_header(24_000, 8) + b"\1\0" * 4)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (24_000, 1, 2)
        assert file.readframes(9) == b"\1\0" * 4
    assert len(wav_header(24_000, None)) == HEADER_BYTES


@pytest.mark.parametrize(
    ("header", "part"),
    [
        (None, None),
        ("bytes=0-", (0, 100)),
        ("bytes=0-0", (0, 1)),
        ("bytes=10-19", (10, 20)),
        ("bytes=90-500", (90, 100)),
        ("bytes=-10", (90, 100)),
        ("bytes=-500", (0, 100)),
        ("bytes=-", None),
        ("bytes=5-4", None),
        ("bytes=0-1,5-6", None),
        ("seconds=0-1", None),
        ("bytes=a-b", None),
    ],
)
def test_one_well_formed_range_is_honoured(header: str | None, part: tuple[int, int] | None) -> None:
    assert byte_range(header, 100) == part


@pytest.mark.parametrize("header", ["bytes=100-", "bytes=100-200", "bytes=-0"])
def test_a_range_behind_the_end_is_not_satisfiable(header: str) -> None:
    with pytest.raises(RangeNotSatisfiable):
        byte_range(header, 100)
