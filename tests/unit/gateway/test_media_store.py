"""Files of replies: written once, read whole or in part, removed by reply or by age."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.media.store import MediaMissing, ObjectMediaStore, media_store


@pytest.fixture
def store(tmp_path: Path) -> ObjectMediaStore:
    return media_store(str(tmp_path / "media"))


async def test_a_file_is_written_once_and_never_replaced(store: ObjectMediaStore) -> None:
    await store.write("a", "0.m4s", b"first")
    await store.write("a", "0.m4s", b"second")
    assert await store.read("a", "0.m4s") == b"first"
    assert await store.size("a", "0.m4s") == 5


async def test_uploaded_avatars_do_not_grow_old(store: ObjectMediaStore) -> None:
    await store.write("avatars/ada/eileen", "bundle.zip", b"kept")
    await store.write("a", "0.m4s", b"old")
    await store.remove_older(-1)
    assert await store.folders("avatars/ada") == ["eileen"]
    assert await store.folders("a") == []
    assert await store.read("avatars/ada/eileen", "bundle.zip") == b"kept"
    with pytest.raises(MediaMissing):
        await store.read("a", "0.m4s")


async def test_parts_of_a_file_come_in_pieces(store: ObjectMediaStore) -> None:
    data = bytes(range(256)) * 3000
    await store.write("a", "video.mp4", data)
    pieces = [piece async for piece in store.pieces("a", "video.mp4", 10, len(data) - 10)]
    assert len(pieces) > 1
    assert b"".join(pieces) == data[10:-10]


async def test_what_is_missing_is_said_to_be(store: ObjectMediaStore) -> None:
    with pytest.raises(MediaMissing):
        await store.read("a", "0.m4s")
    with pytest.raises(MediaMissing):
        await store.size("a", "0.m4s")
    with pytest.raises(MediaMissing):
        await anext(store.pieces("a", "0.m4s", 0, 1))


async def test_removing_a_reply_leaves_the_others(store: ObjectMediaStore) -> None:
    await store.write("a", "0.m4s", b"a")
    await store.write("ab", "0.m4s", b"ab")
    await store.remove("a")
    with pytest.raises(MediaMissing):
        await store.read("a", "0.m4s")
    assert await store.read("ab", "0.m4s") == b"ab"


async def test_what_lies_beside_the_replies_is_left_alone(store: ObjectMediaStore, tmp_path: Path) -> None:
    beside = tmp_path / "media" / "estimates.json"
    beside.write_text("[]")
    await store.remove_older(-1)
    assert beside.exists()


async def test_only_old_files_are_removed_by_age(store: ObjectMediaStore, tmp_path: Path) -> None:
    await store.write("a", "0.m4s", b"a")
    await store.remove_older(3600)
    assert await store.read("a", "0.m4s") == b"a"
    await store.remove_older(-1)
    with pytest.raises(MediaMissing):
        await store.read("a", "0.m4s")
    assert not list((tmp_path / "media").iterdir())
