"""An utterance's frames cut into fragments: each frame once, the first fragment short."""

from __future__ import annotations

import pytest

from services.lipsync.schedule import fragment_spans


@pytest.mark.parametrize("frames", range(8, 800, 8))
def test_fragments_cover_every_frame_once_in_order(frames: int) -> None:
    spans = list(fragment_spans(frames))

    assert [first for first, _ in spans] == [sum(count for _, count in spans[:n]) for n in range(len(spans))]
    assert sum(count for _, count in spans) == frames
    assert all(count % 8 == 0 and 8 <= count <= 48 for _, count in spans)


def test_the_first_fragment_is_short_and_later_ones_grow() -> None:
    assert [count for _, count in fragment_spans(280)] == [8, 16, 24, 32, 40, 48, 48, 48, 16]
