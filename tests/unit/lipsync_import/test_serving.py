"""An imported network is offered beside the shipped one and animates the same avatars."""

from __future__ import annotations

import gc
import io
import json
import weakref
from pathlib import Path

import av
import numpy as np
import pytest

from services.lipsync.avatars import Avatar, folder_bundle, load_avatar
from services.lipsync.cancellation import Cancellation, Cancelled
from services.lipsync.manifests import ModelError
from services.lipsync.mel import mel_filters
from services.lipsync.mouths import mouths
from services.lipsync.networks import load_networks
from services.lipsync.sessions import execution_providers
from services.lipsync.training.network_import import Imported
from services.lipsync.wav2lip_face import lower_half_compositor, seen_face
from services.lipsync.wav2lip_network import Wav2LipNetwork, load_wav2lip_network
from tests.fakes import tiny_models
from tests.fakes.lipsync_worker import animated, running_worker, tone

CPU = execution_providers(["cpu"])


@pytest.fixture(scope="module")
def models_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_models.write_tiny_models(tmp_path_factory.mktemp("models"))


@pytest.fixture
def avatar(models_dir: Path) -> Avatar:
    return load_avatar(folder_bundle(models_dir / "avatars" / "dot"), CPU)


@pytest.fixture(scope="module")
def network(imported: Imported) -> Wav2LipNetwork:
    return load_wav2lip_network(imported.folder, CPU)


async def test_a_request_chooses_the_imported_network_by_name(models_dir: Path, imported: Imported) -> None:
    async with running_worker(models_dir, networks_dir=imported.folder.parent) as worker:
        from visavis.v1 import lipsync_pb2

        offered = (await worker.ListNetworks(lipsync_pb2.ListNetworksRequest())).networks
        usual = await animated(worker, tone(16))
        mine = await animated(worker, tone(16), network="mine")
        again = await animated(worker, tone(16), network="mine")

    assert [(one.name, one.contract, one.default) for one in offered] == [
        ("tiny", "pose/1", True),
        ("mine", "wav2lip/1", False),
    ]
    assert mine.order == ["started", "fragment", "fragment", "finished"]
    assert mine.media == again.media != usual.media
    with av.open(io.BytesIO(mine.started.init_segment + mine.media), "r") as container:
        assert sum(1 for _ in container.decode(video=0)) == 16


def test_the_network_sees_the_face_with_its_lower_half_hidden(avatar: Avatar) -> None:
    face = seen_face(avatar)

    assert face.shape == (1, 6, 96, 96)
    assert not face[0, :3, 48:].any()
    assert np.array_equal(face[0, :3, :48], face[0, 3:, :48])
    # The loop is grey: luma 60 of 16..235.
    assert face[0, 3:].mean() == pytest.approx((60 - 16) / 219, abs=0.01)


def test_the_drawn_half_moves_with_the_head_and_changes_nothing_else(avatar: Avatar) -> None:
    compositor = lower_half_compositor(avatar)
    white = np.ones((3, 48, 96), np.float32)

    centres = []
    for position in (0, 8):
        frame = avatar.frame(position)
        before = frame[: tiny_models.HEIGHT_PX].astype(int)
        after = compositor.picture(frame, white, position).to_ndarray()[: tiny_models.HEIGHT_PX].astype(int)
        rows, columns = np.nonzero(after - before > 20)
        centres.append((columns.mean(), rows.mean()))

    # The face is at 32, 16 and 64x72 large: its lower half is around 64, 70; the loop moves 0.5 px a frame.
    assert centres[0] == pytest.approx((63.5, 69.5), abs=1)
    assert centres[1][0] - centres[0][0] == pytest.approx(4, abs=0.5)


def test_an_avatar_is_looked_at_once_and_forgotten_with_it(models_dir: Path, network: Wav2LipNetwork) -> None:
    seen = load_avatar(folder_bundle(models_dir / "avatars" / "dot"), CPU)
    go_on = Cancellation()

    face = network.face(seen, go_on)

    assert network.face(seen, go_on) is face
    assert sum(one.nbytes for one in face.maps.values()) < 3_500_000
    remembered = weakref.ref(face.compositor)
    del seen, face
    gc.collect()
    assert remembered() is None


def test_a_cancelled_render_draws_no_further_mouth(avatar: Avatar, network: Wav2LipNetwork) -> None:
    cancellation = Cancellation()
    drawn = mouths(network, avatar, np.zeros(16 * 640, np.float32), 16, cancellation)
    assert drawn.unit(0).shape == (8, 3, 48, 96)

    cancellation.cancel()

    with pytest.raises(Cancelled):
        drawn.unit(8)


def test_the_bank_of_a_network_trained_from_95_hz_begins_there() -> None:
    bins_hz = np.linspace(0, 8000, 401)

    assert bins_hz[np.nonzero(mel_filters(lowest_hz=95.0)[0])[0][0]] == 100
    assert bins_hz[np.nonzero(mel_filters()[0])[0][0]] == 60


def test_graphs_that_were_mixed_up_stop_the_worker(imported: Imported, tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    for name in ("listen.onnx", "look.onnx", "speak.onnx"):
        (folder / name).symlink_to(imported.folder / name)
    manifest = json.loads((imported.folder / "manifest.json").read_text())
    manifest["files"]["speak"] = manifest["files"]["look"]
    (folder / "manifest.json").write_text(json.dumps(manifest))

    with pytest.raises(ModelError, match="do not fit each other"):
        load_wav2lip_network(folder, CPU)


def test_two_networks_of_one_name_are_refused(imported: Imported) -> None:
    with pytest.raises(ModelError, match="Two networks are called mine"):
        load_networks([imported.folder.parent, imported.folder.parent], CPU)
