"""Speech that a caller already has: read in any format, cut, animated; what is no speech is refused."""

from __future__ import annotations

import io
from pathlib import Path

import av
import httpx
import numpy as np
import pytest

from tests.fakes import fragments
from tests.fakes.served_gateway import ServedGateway, check_story, served_gateway
from tests.fakes.stages import FakeStages

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture
def stages(served_stages: FakeStages) -> FakeStages:
    served_stages.forget()
    return served_stages


def sound_file(container: str, codec: str, rate_hz: int, channels: int, seconds: float) -> bytes:
    """Speech-like bursts with pauses."""
    count = int(rate_hz * seconds)
    time = np.arange(count) / rate_hz
    bursts = (np.sin(2 * np.pi * 180 * time) * (np.sin(2 * np.pi * 0.4 * time) > 0) * 9000).astype(np.int16)
    file = io.BytesIO()
    with av.open(file, "w", format=container) as output:
        layout = "stereo" if channels == 2 else "mono"
        stream = output.add_stream(codec, rate=rate_hz, layout=layout)
        assert isinstance(stream, av.AudioStream)
        samples = np.repeat(bursts, channels).reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(samples, format="s16", layout=layout)
        frame.sample_rate = rate_hz
        output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return file.getvalue()


async def uploaded(gateway: ServedGateway, audio: bytes, request: str = "{}") -> httpx.Response:
    """The answer to speech that was posted, the request as a file beside it, as browsers send it."""
    json_part = ("request.json", request.encode(), "application/json")
    sound_part = ("speech", audio, "application/octet-stream")
    return await gateway.http.post("/v1/replies", files={"request": json_part, "audio": sound_part})


@pytest.mark.parametrize(
    ("container", "codec", "rate_hz", "channels"),
    [
        ("wav", "pcm_s16le", 8_000, 1),
        ("wav", "pcm_s16le", 44_100, 2),
        ("mp3", "libmp3lame", 48_000, 2),
        ("flac", "flac", 22_050, 1),
        ("ogg", "libopus", 48_000, 2),
    ],
)
async def test_uploaded_speech_is_animated(
    gateway: ServedGateway, container: str, codec: str, rate_hz: int, channels: int
) -> None:
    audio = sound_file(container, codec, rate_hz, channels, seconds=30)
    response = await gateway.http.post(
        "/v1/replies", data={"request": "{}"}, files={"audio": ("speech", audio)}
    )
    events = await gateway.events(response.json()["id"])
    check_story(events)
    types = {event.type for event in events}
    assert "text_delta" not in types
    spoken = [event.data for event in events if event.type == "utterance"]
    assert len(spoken) > 2
    assert all(utterance["duration_seconds"] <= 12 for utterance in spoken)
    video = next(event.data for event in events if event.type == "video_ok")
    assert 30 < video["duration_seconds"] < 31


@pytest.mark.parametrize(
    ("audio", "detail"),
    [
        (b"", "could not be read"),
        (b"not a sound", "could not be read"),
        (b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile:///etc/passwd\n", "could not be read"),
        (fragments.poster(), "could not be read"),
    ],
)
async def test_what_is_no_sound_is_refused(gateway: ServedGateway, audio: bytes, detail: str) -> None:
    response = await gateway.http.post(
        "/v1/replies", data={"request": "{}"}, files={"audio": ("speech.wav", audio)}
    )
    assert (response.status_code, response.json()["type"]) == (422, "invalid-request")
    assert detail in response.json()["detail"]


async def test_uploaded_speech_has_a_longest_length(stages: FakeStages, tmp_path: Path) -> None:
    async with served_gateway(stages, tmp_path, max_speech_seconds=5) as gateway:
        response = await uploaded(gateway, sound_file("wav", "pcm_s16le", 16_000, 1, seconds=6))
        assert (response.status_code, response.json()["type"]) == (413, "too-long")
        taken = await uploaded(gateway, sound_file("wav", "pcm_s16le", 16_000, 1, seconds=5))
        assert (await gateway.events(taken.json()["id"]))[-1].type == "done"


async def test_recordings_one_behind_the_other_may_differ_in_their_rates(gateway: ServedGateway) -> None:
    audio = sound_file("adts", "aac", 44_100, 2, seconds=2) + sound_file("adts", "aac", 22_050, 1, seconds=2)
    response = await uploaded(gateway, audio)
    assert response.status_code == 202, response.text
    video = (await gateway.events(response.json()["id"]))[-1].data["usage"]["video_seconds"]
    assert 4 < video < 5.5


async def test_the_title_of_a_recording_may_be_in_any_encoding(gateway: ServedGateway) -> None:
    audio = sound_file("wav", "pcm_s16le", 16_000, 1, seconds=1).replace(b"Lavf", b"L\xe9on")
    assert b"L\xe9on" in audio
    assert (await uploaded(gateway, audio)).status_code == 202


@pytest.mark.parametrize(
    ("request_", "status", "words"),
    [
        ('{"say": "Hello."}', 422, "exactly one"),
        ('{"outputs": ["text"]}', 422, "text alone"),
        ('{"network": "nobody"}', 422, "no network"),
        (f'{{"voice": "{"x" * (1 << 20)}"}}', 413, "1,048,576 bytes"),
    ],
)
async def test_what_uploaded_speech_cannot_go_with_is_refused(
    gateway: ServedGateway, request_: str, status: int, words: str
) -> None:
    response = await uploaded(gateway, sound_file("wav", "pcm_s16le", 16_000, 1, seconds=1), request_)
    assert response.status_code == status
    assert words in response.json()["detail"]
