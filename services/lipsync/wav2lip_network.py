"""A folder goes in, an imported network comes out, checked; an avatar is looked at once, then remembered."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from services.lipsync import mel
from services.lipsync.avatars import Avatar
from services.lipsync.cancellation import Cancellation
from services.lipsync.compositor import Compositor
from services.lipsync.manifests import ModelError, ModelFile, check_hash, read_manifest
from services.lipsync.sessions import Array, Graph, Session
from services.lipsync.timings import step
from services.lipsync.wav2lip_face import FACE_PX, FIRST_DRAWN_ROW, lower_half_compositor, seen_face
from services.lipsync.wav2lip_manifest import Wav2LipManifest

_SPEECH_FEATURES = 512


@dataclass(frozen=True, slots=True)
class Face:
    """What the network has seen of an avatar (3 MB), and what puts a drawn half face onto its frames."""

    maps: dict[str, Array]
    compositor: Compositor


class Wav2LipNetwork:
    """`listen`: mel windows (N, 1, 80, 16) to speech (N, 512). `speak`: see `mouths`."""

    def __init__(
        self, manifest: Wav2LipManifest, listen: Graph, look: Callable[[], Session], speak: Session
    ) -> None:
        """`look` loads its graph, for as long as one face is seen: that takes 0.1 s, keeping it 60 MB."""
        self.manifest = manifest
        self.listen = listen
        self._look = look
        self._speak = speak
        # One per loaded avatar: the gallery bounds them, and an avatar that is dropped takes its face along.
        self._faces: weakref.WeakKeyDictionary[Compositor, Face] = weakref.WeakKeyDictionary()
        self._lock = threading.Lock()

    def face(self, avatar: Avatar, cancellation: Cancellation) -> Face:
        """What there is to know of the avatar. Raises Cancelled."""
        with self._lock:
            face = self._faces.get(avatar.compositor)
        if face is None:
            with step("look"):
                maps = self._look().run({"faces": seen_face(avatar)}, cancellation)
                face = Face(maps, lower_half_compositor(avatar))
            with self._lock:
                self._faces[avatar.compositor] = face
        return face

    def mouths(self, speech: Array, face: Face, cancellation: Cancellation) -> Array:
        """Half faces (N, 3, 48, 96), RGB in 0..1, of speech (N, 512). Raises Cancelled."""
        drawn = self._speak.run({"speech": speech, **face.maps}, cancellation)["mouth"]
        # The networks of this contract were trained on BGR.
        return drawn[:, ::-1]


def load_wav2lip_network(directory: Path, providers: Sequence[str]) -> Wav2LipNetwork:
    """The network of the contract wav2lip/1 in `directory`; `providers` are onnxruntime's names.

    Raises:
        ModelError: it is incomplete, damaged or not of this contract.
    """
    where = f"Network {directory.name}"
    manifest = read_manifest(Wav2LipManifest, (directory / "manifest.json").read_bytes(), where)

    def model(file: ModelFile) -> bytes:
        path = directory / file.path
        if not path.is_file():
            raise ModelError(f"{where}: {file.path} is missing. Import the network again.")
        return check_hash(file, path.read_bytes(), where)

    files = manifest.files
    listen = Graph(model(files.listen), providers, f"{where}: {files.listen.path}")
    listen.check_contract(("mel", (1, mel.BANDS, mel.COLUMNS_PER_WINDOW)), ("speech", (_SPEECH_FEATURES,)))

    def look() -> Session:
        return Session(model(files.look), providers, f"{where}: {files.look.path}")

    seeing = look()
    seen = _sizes(seeing.inputs), _sizes(seeing.outputs)
    # Before the largest one is loaded.
    del seeing
    speak = Session(model(files.speak), providers, f"{where}: {files.speak.path}")
    faces, wanted = {"faces": (6, FACE_PX, FACE_PX)}, {"speech": (_SPEECH_FEATURES,), **seen[1]}
    mouth = {"mouth": (3, FACE_PX - FIRST_DRAWN_ROW, FACE_PX)}
    found = (seen[0], _sizes(speak.inputs), _sizes(speak.outputs))
    if found != (faces, wanted, mouth):
        raise ModelError(f"{where}: look and speak do not fit each other. Import the network again.")
    return Wav2LipNetwork(manifest, listen, look, speak)


def _sizes(ports: dict[str, tuple[int | str, ...]]) -> dict[str, tuple[int | str, ...]]:
    return {name: shape[1:] for name, shape in ports.items()}
