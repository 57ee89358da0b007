"""A gateway with keys: who has none stays outside, each sees only their own, readers enter by signature."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from tests.fakes import fragments
from tests.fakes.faults import Fault
from tests.fakes.served_gateway import MOON, ServedGateway, served_gateway
from tests.fakes.stages import FakeStages

pytestmark = pytest.mark.asyncio(loop_scope="module")

PARTS = (
    "",
    "/events",
    "/video.mp4",
    "/video.m3u8",
    "/audio.wav",
    "/captions.vtt",
    "/poster.jpg",
    "/init.mp4",
    "/0.m4s",
    "/0.wav",
)
SITE = "https://face.example"


def line(name: str, limits: str = "") -> str:
    return f"{name} {hashlib.sha256(f'key-of-{name}'.encode()).hexdigest()} {limits}"


def bearer(name: str) -> dict[str, str]:
    return {"Authorization": f"Bearer key-of-{name}"}


ANN, BOB = bearer("ann"), bearer("bob")


@pytest.fixture
def stages(served_stages: FakeStages) -> FakeStages:
    served_stages.forget()
    return served_stages


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def served(
    served_stages: FakeStages, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[ServedGateway]:
    keys = "\n".join([line("ann"), line("bob", "running=1"), line("eve", "per_minute=2")])
    keys += "\n" + line("elise").replace("elise", "élise")
    folder = tmp_path_factory.mktemp("gateway")
    async with served_gateway(served_stages, folder, api_keys=keys, origins=frozenset({SITE})) as gateway:
        yield gateway


async def finished(gateway: ServedGateway, key: dict[str, str] = ANN) -> dict[str, Any]:
    answer = await gateway.http.post("/v1/replies", json=MOON, headers=key | {"Prefer": "wait=20"})
    assert answer.status_code == 200, answer.text
    reply: dict[str, Any] = answer.json()
    return reply


@pytest.mark.parametrize(
    "headers", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic key-of-ann"}]
)
async def test_who_has_no_key_stays_outside(gateway: ServedGateway, headers: dict[str, str]) -> None:
    reply_id = (await finished(gateway))["id"]
    paths = ["/v1/models", "/v1/voices", "/v1/avatars", "/v1/usage", "/v1/nothing"]
    paths += [f"/v1/replies/{reply_id}{part}" for part in PARTS]
    for path in paths:
        refused = await gateway.http.get(path, headers=headers)
        assert (refused.status_code, refused.json()["type"]) == (401, "unauthorized"), path
        assert refused.headers["WWW-Authenticate"] == "Bearer"
    assert (await gateway.http.post("/v1/replies", json=MOON, headers=headers)).status_code == 401
    assert (await gateway.http.delete(f"/v1/replies/{reply_id}", headers=headers)).status_code == 401


async def test_health_and_the_page_need_no_key(gateway: ServedGateway) -> None:
    for path in ("/healthz", "/readyz", "/", "/openapi.json", "/v1/avatars/grey/poster.jpg"):
        assert (await gateway.http.get(path)).status_code == 200, path


async def test_what_one_key_made_is_404_to_every_other(gateway: ServedGateway) -> None:
    reply_id = (await finished(gateway))["id"]
    for part in PARTS:
        path = f"/v1/replies/{reply_id}{part}"
        assert (await gateway.http.get(path, headers=ANN)).status_code == 200, path
        foreign = await gateway.http.get(path, headers=BOB)
        nobodys = await gateway.http.get(path.replace(reply_id, "0" * 32), headers=BOB)
        assert foreign.status_code == nobodys.status_code == 404
        assert {**foreign.json(), "trace_id": ""} == {**nobodys.json(), "trace_id": ""}
    assert (await gateway.http.delete(f"/v1/replies/{reply_id}", headers=BOB)).status_code == 404
    assert (await gateway.http.delete(f"/v1/replies/{reply_id}", headers=ANN)).status_code == 204


@pytest.mark.parametrize("part", ["/events%0A", "/video.mp4%0A", "/audio.wav%0A", "/0%0A.m4s", "/cancel%0A"])
async def test_no_way_of_writing_an_address_leads_past_the_owner(gateway: ServedGateway, part: str) -> None:
    reply_id = (await finished(gateway))["id"]
    for method in ("GET", "POST"):
        answer = await gateway.http.request(method, f"/v1/replies/{reply_id}{part}", headers=BOB)
        assert answer.status_code == 404, answer.text


async def test_every_address_that_is_sent_opens_without_a_header(gateway: ServedGateway) -> None:
    reply = await finished(gateway)
    addresses = [reply[name] for name in reply if name.endswith("_url")]
    addresses += [utterance["audio_url"] for utterance in reply["utterances"]]
    events = await gateway.http.get(reply["events_url"], headers={"Accept": "application/x-ndjson"})
    for told in map(json.loads, filter(None, events.text.splitlines())):
        addresses += [v for name, v in told["data"].items() if name.endswith("url") and v is not None]
    playlist = await gateway.http.get(reply["playlist_url"])
    root = f"/v1/replies/{reply['id']}"
    addresses += [f"{root}/{entry}" for entry in playlist.text.split() if ".m4s" in entry]
    addresses.append(f"{root}/{playlist.text.split('URI=')[1].split(chr(34))[1]}")
    for address in addresses:
        assert (await gateway.http.get(address)).status_code == 200, address
    assert len(addresses) > 15


async def test_a_signature_only_reads_and_only_its_own_reply(gateway: ServedGateway) -> None:
    mine, other = await finished(gateway), await finished(gateway)
    signed = mine["events_url"].replace("/events", "")
    assert (await gateway.http.get(signed)).status_code == 200
    assert (await gateway.http.delete(signed)).status_code == 401
    swapped = mine["video_url"].replace(mine["id"], other["id"])
    assert (await gateway.http.get(swapped)).status_code == 401
    token = signed.split("?")[1]
    assert (await gateway.http.post(f"/v1/replies?{token}", json=MOON)).status_code == 401


async def test_the_log_keeps_no_signature(gateway: ServedGateway) -> None:
    reply = await finished(gateway)
    logged = await gateway.inside.log.read(reply["id"])
    assert "token=" in reply["video_url"]
    assert "token=" not in str([event.data for event in logged])


async def test_a_socket_opens_by_signature_or_key(gateway: ServedGateway) -> None:
    reply = await finished(gateway)
    base = f"ws://127.0.0.1:{gateway.http.base_url.port}"
    signed = reply["events_url"].replace("/events", "/socket")
    for address, headers in ((signed, {}), (signed.split("?")[0], ANN)):
        async with connect(base + address, additional_headers=headers) as socket:
            assert '"done"' in [str(frame) async for frame in socket][-1]
    for headers, status in (({}, 401), (BOB, 404)):
        with pytest.raises(InvalidStatus) as refused:
            async with connect(base + signed.split("?")[0], additional_headers=headers):
                pass
        assert refused.value.response.status_code == status


async def test_a_caller_makes_no_more_at_once_than_the_key_allows(
    gateway: ServedGateway, stages: FakeStages
) -> None:
    gate = asyncio.Event()
    stages.text.faults.plan(Fault(gate=gate), Fault(gate=gate))
    answers = await asyncio.gather(
        *(gateway.http.post("/v1/replies", json=MOON, headers=BOB) for _ in range(3))
    )
    assert sorted(answer.status_code for answer in answers) == [202, 429, 429]
    refused = next(answer for answer in answers if answer.status_code == 429)
    assert (refused.json()["type"], refused.headers["Retry-After"]) == ("rate-limited", "5")
    other = await gateway.http.post("/v1/replies", json=MOON, headers=ANN)
    assert other.status_code == 202
    gate.set()
    for answer in (*answers, other):
        if answer.status_code == 202:
            await gateway.http.get(answer.json()["events_url"])


async def test_a_caller_asks_no_oftener_than_the_key_allows(gateway: ServedGateway) -> None:
    for _ in range(2):
        await finished(gateway, bearer("eve"))
    refused = await gateway.http.post("/v1/replies", json=MOON, headers=bearer("eve"))
    assert (refused.status_code, refused.json()["type"]) == (429, "rate-limited")
    assert 1 <= int(refused.headers["Retry-After"]) <= 30


async def test_callers_see_their_own_usage_and_their_own_idempotency_keys(gateway: ServedGateway) -> None:
    async def replies(key: dict[str, str]) -> int:
        report = (await gateway.http.get("/v1/usage", headers=key)).json()
        return sum(row["replies"] for row in report["totals"])

    before = [await replies(key) for key in (ANN, BOB)]
    await finished(gateway)
    assert [await replies(key) for key in (ANN, BOB)] == [before[0] + 1, before[1]]
    ids = [(await finished(gateway, key | {"Idempotency-Key": "same"}))["id"] for key in (ANN, BOB, ANN)]
    assert ids[0] == ids[2] != ids[1]


async def test_callers_see_their_own_faces_whatever_letters_they_are_named_with(
    gateway: ServedGateway,
) -> None:
    key = bearer("elise")
    photo = {"image": ("photo.jpg", fragments.poster(), "image/jpeg")}
    form = {"name": "Ada", "consent": "true"}
    added = await gateway.http.post("/v1/avatars", data=form, files=photo, headers=key)
    assert added.status_code == 201, added.text
    for reader, seen in ((key, True), (ANN, False)):
        listed = (await gateway.http.get("/v1/avatars", headers=reader)).json()["avatars"]
        assert ("ada" in {avatar["id"] for avatar in listed}) is seen
    assert (await gateway.http.get(added.json()["poster_url"])).status_code == 200


async def test_pages_of_listed_sites_may_ask_and_others_may_not(gateway: ServedGateway) -> None:
    asking = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
    allowed = await gateway.http.options("/v1/replies", headers=asking | {"Origin": SITE})
    assert allowed.status_code == 200
    assert allowed.headers["Access-Control-Allow-Origin"] == SITE
    assert allowed.headers["Access-Control-Allow-Credentials"] == "true"
    refused = await gateway.http.options("/v1/replies", headers=asking | {"Origin": "https://evil.example"})
    assert refused.status_code == 400
    assert "Access-Control-Allow-Origin" not in refused.headers
    answer = await gateway.http.get("/v1/models", headers=ANN | {"Origin": SITE})
    assert answer.headers["Access-Control-Allow-Origin"] == SITE
    unknown = await gateway.http.get("/v1/models", headers={"Origin": SITE})
    assert (unknown.status_code, unknown.headers["Access-Control-Allow-Origin"]) == (401, SITE)


async def test_a_gateway_with_keys_answers_to_any_name(gateway: ServedGateway) -> None:
    answer = await gateway.http.get("/v1/models", headers=ANN | {"Host": "face.example"})
    assert answer.status_code == 200
