"""Files of replies, in a folder and in buckets: written once, read whole or in part, removed by age."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from visavis.rpc.failures import Failure, FailureType

from gateway.media.places import PlaceUnusable, check_place, media_store, reply_media
from gateway.media.recent import RecentMedia
from gateway.media.store import MediaMissing, MediaStore, read_all
from tests.fakes.google_object_server import GoogleObjectServer, google_object_server
from tests.fakes.object_server import ObjectServer, object_server


@pytest.fixture(scope="module")
def s3() -> Iterator[ObjectServer]:
    with object_server() as server:
        yield server


@pytest.fixture(scope="module")
def gs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GoogleObjectServer]:
    with google_object_server(tmp_path_factory.mktemp("google")) as server:
        yield server


@pytest.fixture(params=["s3", "gs"])
def served(request: pytest.FixtureRequest) -> ObjectServer:
    server: ObjectServer = request.getfixturevalue(request.param)
    return server


@pytest.fixture
def bucket(served: ObjectServer, monkeypatch: pytest.MonkeyPatch) -> str:
    """The address of a folder in an empty bucket."""
    return entered(served, monkeypatch)


@pytest.fixture(params=["folder", "s3", "gs"])
def place(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "folder":
        return str(tmp_path / "media")
    return entered(request.getfixturevalue(request.param), monkeypatch)


def entered(server: ObjectServer, monkeypatch: pytest.MonkeyPatch) -> str:
    server.empty()
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    return f"{server.bucket_url}/some/folder"


@pytest.fixture
def store(place: str) -> MediaStore:
    return reply_media(place)


async def test_a_file_is_written_once_and_never_replaced(store: MediaStore, place: str) -> None:
    assert await store.write("a", "0.m4s", b"first")
    assert not await media_store(place).write("a", "0.m4s", b"second, by another replica")
    assert not await store.write("a", "0.m4s", b"third")
    for reader in (store, media_store(place)):
        assert await reader.read("a", "0.m4s") == b"first"
        assert await reader.size("a", "0.m4s") == 5


async def test_whoever_comes_second_sees_the_first_ones_file(store: MediaStore, place: str) -> None:
    await media_store(place).write("a", "0.m4s", b"first")
    await store.write("a", "0.m4s", b"second")
    assert await store.read("a", "0.m4s") == b"first"


async def test_of_writers_at_the_same_time_one_wins(place: str) -> None:
    stores = [media_store(place) for _ in range(8)]
    created = await asyncio.gather(*(store.write("a", "x", bytes([i])) for i, store in enumerate(stores)))
    assert created.count(True) == 1
    assert await media_store(place).read("a", "x") == bytes([created.index(True)])


async def test_uploaded_avatars_do_not_grow_old(store: MediaStore) -> None:
    await store.write("avatars/ada/eileen", "bundle.zip", b"kept")
    await store.write("a", "0.m4s", b"old")
    await store.remove_older(-1)
    assert await store.folders("avatars/ada") == ["eileen"]
    assert await store.folders("a") == []
    assert await store.read("avatars/ada/eileen", "bundle.zip") == b"kept"


async def test_parts_of_a_file_come_in_pieces(store: MediaStore, place: str) -> None:
    data = bytes(range(256)) * 3000
    await store.write("a", "video.mp4", data)
    for reader in (store, media_store(place)):
        pieces = [piece async for piece in reader.pieces("a", "video.mp4", 10, len(data) - 10)]
        assert len(pieces) > 1
        assert b"".join(pieces) == data[10:-10]


async def test_what_is_missing_is_said_to_be(store: MediaStore) -> None:
    with pytest.raises(MediaMissing):
        await store.read("a", "0.m4s")
    with pytest.raises(MediaMissing):
        await store.size("a", "0.m4s")
    with pytest.raises(MediaMissing):
        await anext(store.pieces("a", "0.m4s", 0, 1))
    with pytest.raises(MediaMissing):
        await read_all(store, "a", ["0.m4s", "1.m4s"])


async def test_many_files_come_in_the_order_they_were_asked_for(store: MediaStore) -> None:
    names = [f"{index}.m4s" for index in range(20)]
    await asyncio.gather(*(store.write("a", name, name.encode()) for name in names))
    assert await read_all(store, "a", names[::-1]) == [name.encode() for name in names[::-1]]


async def test_removing_a_reply_leaves_the_others(store: MediaStore) -> None:
    await store.write("a", "0.m4s", b"a")
    await store.write("ab", "0.m4s", b"ab")
    await store.remove("a")
    with pytest.raises(MediaMissing):
        await store.read("a", "0.m4s")
    assert await store.read("ab", "0.m4s") == b"ab"


async def test_replicas_that_remove_the_same_reply_do_not_stumble_over_each_other(place: str) -> None:
    stores = [media_store(place) for _ in range(4)]
    await asyncio.gather(*(stores[0].write("a", f"{index}.m4s", b"a") for index in range(40)))
    await asyncio.gather(*(store.remove("a") for store in stores))
    with pytest.raises(MediaMissing):
        await stores[0].read("a", "39.m4s")


async def test_what_lies_beside_the_replies_is_left_alone(tmp_path: Path) -> None:
    beside = tmp_path / "media" / "estimates.json"
    store = media_store(str(beside.parent))
    beside.write_text("[]")
    await store.remove_older(-1)
    assert beside.exists()


async def test_only_old_files_are_removed_by_age(store: MediaStore, place: str) -> None:
    await store.write("a", "0.m4s", b"a")
    await store.remove_older(3600)
    assert await store.read("a", "0.m4s") == b"a"
    await store.remove_older(-1)
    with pytest.raises(MediaMissing):
        await media_store(place).read("a", "0.m4s")


async def test_a_folder_is_left_empty(tmp_path: Path) -> None:
    store = media_store(str(tmp_path))
    await store.write("a", "0.m4s", b"a")
    await store.remove_older(-1)
    assert not any(folders for _, folders, _ in os.walk(tmp_path))


async def test_two_gateways_share_a_bucket_by_folders(bucket: str, served: ObjectServer) -> None:
    await media_store(bucket).write("a", "0.m4s", b"one")
    await media_store(f"{bucket}-too").write("a", "0.m4s", b"other")
    await media_store(f"{bucket}-too").remove_older(-1)
    assert served.names() == ["some/folder/a/0.m4s"]


async def test_what_was_just_written_comes_out_of_memory_and_no_more_than_there_is_room_for(
    tmp_path: Path,
) -> None:
    store = RecentMedia(media_store(str(tmp_path)), max_bytes=80_000)
    for index in range(9):
        await store.write("a", f"{index}.m4s", bytes(10_000 - 1_024))
    await store.write("a", "large.mp4", bytes(10_001))
    shutil.rmtree(tmp_path / "a")
    assert [await _at_hand(store, f"{index}.m4s") for index in range(9)] == [False] + [True] * 8
    assert not await _at_hand(store, "large.mp4")
    await store.remove("a")
    assert not await _at_hand(store, "8.m4s")


async def _at_hand(store: MediaStore, name: str) -> bool:
    try:
        return bool(await store.read("a", name))
    except MediaMissing:
        return False


def test_a_folder_that_can_be_used_is_left_as_it_was(tmp_path: Path) -> None:
    check_place(str(tmp_path / "media"))
    assert not any(files for _, _, files in os.walk(tmp_path))


def test_a_bucket_that_can_be_used_is_left_as_it_was(bucket: str, served: ObjectServer) -> None:
    check_place(bucket)
    assert served.names() == []


def test_a_wrong_bucket_is_named_at_the_start(bucket: str, served: ObjectServer) -> None:
    elsewhere = f"{served.scheme}://elsewhere/x"
    with pytest.raises(PlaceUnusable, match=rf"{elsewhere} \(.*NoSuchBucket\).*GATEWAY_DATA"):
        check_place(elsewhere)
    with pytest.raises(PlaceUnusable, match="swift://elsewhere"):
        media_store("swift://elsewhere")


def test_wrong_credentials_are_named_at_the_start_but_never_quoted(bucket: str, served: ObjectServer) -> None:
    served.refuse_everybody()
    with pytest.raises(PlaceUnusable, match=r"InvalidAccessKeyId|AuthenticationRequired") as refused:
        check_place(bucket)
    assert served.secret not in str(refused.value)
    assert "someone" not in str(refused.value)


async def test_an_avatar_that_was_deleted_elsewhere_is_gone_here_too(bucket: str) -> None:
    here, elsewhere = media_store(f"{bucket}/avatars"), media_store(f"{bucket}/avatars")
    await here.write("ada/eileen", "avatar.json", b"{}")
    assert await here.read("ada/eileen", "avatar.json") == b"{}"
    await elsewhere.remove("ada/eileen")
    with pytest.raises(MediaMissing):
        await here.read("ada/eileen", "avatar.json")


async def test_a_store_that_is_gone_fails_clearly(
    bucket: str, served: ObjectServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    store = media_store(f"{served.scheme}://elsewhere/x")
    with pytest.raises(Failure) as refused:
        await store.write("a", "0.m4s", b"a")
    assert refused.value.type is FailureType.STAGE_UNAVAILABLE
    assert refused.value.retry_after_seconds
    # A port that was free a moment ago.
    monkeypatch.setenv(served.address_variable, "http://127.0.0.1:9")
    with pytest.raises(Failure):
        await media_store(bucket).read("a", "0.m4s")
    assert "127.0.0.1:9" not in capsys.readouterr().out


def test_a_folder_that_cannot_be_written_is_named_at_the_start(tmp_path: Path) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.touch()
    with pytest.raises(PlaceUnusable, match="GATEWAY_DATA"):
        check_place(str(in_the_way / "media"))
