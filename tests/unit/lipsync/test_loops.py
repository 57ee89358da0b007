"""Decoded loops: those used last stay in memory, within a bound; the others are decoded again, alike."""

from __future__ import annotations

import io

import numpy as np
import pytest

from services.lipsync.cancellation import Cancellation, Cancelled
from services.lipsync.fragments import Size
from services.lipsync.loop_video import write_loop
from services.lipsync.loops import Loop, LoopCache
from services.lipsync.manifests import ModelError

SIZE = Size(64, 64)
COUNT = 10
DECODED_BYTES = 64 * 96 * COUNT


def loop(cache: LoopCache, brightness: int = 100, count: int = COUNT) -> Loop:
    file = io.BytesIO()
    frames = (np.full((64, 64, 3), brightness + number, np.uint8) for number in range(COUNT))
    write_loop(frames, file, crf=10, preset="ultrafast")
    return Loop(file.getvalue(), SIZE, count, "loop.mp4", cache)


def test_a_loop_is_decoded_once_while_it_fits() -> None:
    cache = LoopCache(2 * DECODED_BYTES)
    one, other = loop(cache), loop(cache, 50)

    first = one.frames(Cancellation())
    other.frames(Cancellation())

    assert one.frames(Cancellation()) is first
    assert first.shape == (COUNT, 96, 64)
    assert cache.held_bytes == one.decoded_bytes + other.decoded_bytes == 2 * DECODED_BYTES


def test_the_loop_used_longest_ago_gives_way_and_comes_back_the_same() -> None:
    cache = LoopCache(2 * DECODED_BYTES)
    loops = [loop(cache, brightness) for brightness in (30, 60, 90)]
    first = loops[0].frames(Cancellation())
    second = loops[1].frames(Cancellation())
    loops[0].frames(Cancellation())
    loops[2].frames(Cancellation())

    assert cache.held_bytes == 2 * DECODED_BYTES
    assert loops[0].frames(Cancellation()) is first
    again = loops[1].frames(Cancellation())
    assert again is not second
    assert (again == second).all()


def test_the_loop_in_use_is_kept_however_small_the_bound() -> None:
    cache = LoopCache(0)
    only = loop(cache)
    assert only.frames(Cancellation()) is only.frames(Cancellation())
    loop(cache).frames(Cancellation())
    assert cache.held_bytes == DECODED_BYTES


def test_a_cancelled_render_decodes_no_loop() -> None:
    cancellation = Cancellation()
    cancellation.cancel()
    with pytest.raises(Cancelled):
        loop(LoopCache(0)).frames(cancellation)


def test_a_loop_that_is_not_what_was_promised_is_refused() -> None:
    with pytest.raises(ModelError, match="exactly 11 yuv420p frames of 64x64"):
        loop(LoopCache(0), count=11).frames(Cancellation())
    with pytest.raises(ModelError, match="exactly 9 yuv420p frames"):
        loop(LoopCache(0), count=9).check()
    with pytest.raises(ModelError, match="cannot be decoded"):
        Loop(b"no video", SIZE, COUNT, "loop.mp4", LoopCache(0)).frames(Cancellation())
