"""An avatar bundle (a folder, or a zip of one) goes in, a face ready to speak comes out, checked."""

from __future__ import annotations

import hashlib
import io
import zipfile
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import av
import numpy as np
from numpy.typing import NDArray

from services.lipsync.cancellation import Cancellation
from services.lipsync.compositor import Compositor
from services.lipsync.fragments import Size
from services.lipsync.loops import Loop, LoopCache
from services.lipsync.manifests import (
    AvatarManifest,
    ModelError,
    ModelFile,
    check_hash,
    read_manifest,
)
from services.lipsync.pose import CONTROLS
from services.lipsync.sessions import Graph
from services.lipsync.warped_mouth import CONTRACT as WARP_CONTRACT
from services.lipsync.warped_mouth import WarpedMouth

MANIFEST = "manifest.json"
# What zipfile raises, depending on where an archive is damaged: only some of it is its own.
_UNREADABLE = (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, ValueError)


class Speak(Protocol):
    """Draws an avatar's mouth."""

    def run(self, batch: NDArray[np.float32], cancellation: Cancellation) -> NDArray[np.float32]:
        """Mouths (N, 3, S, S), RGB in 0..1, of poses (N, 7). Raises Cancelled."""


@dataclass(frozen=True, slots=True)
class Avatar:
    """`hash` is the sha256 of the manifest, which holds those of all other files: it names the content."""

    manifest: AvatarManifest
    hash: str
    speak: Speak
    compositor: Compositor
    loop: Loop

    @property
    def size(self) -> Size:
        """Of its pictures."""
        return _size(self.manifest)

    def frame(self, position: int) -> NDArray[np.uint8]:
        """The loop's frame `position` (modulo its length) as it is, (height * 3 / 2, width) I420."""
        frames = self.loop.frames(Cancellation())
        frame: NDArray[np.uint8] = frames[position % len(frames)]
        return frame

    def picture(self, mouth: NDArray[np.float32], position: int) -> av.VideoFrame:
        """The same frame with `mouth`, (3, S, S) RGB in 0..1, as yuv420p."""
        return self.compositor.picture(self.frame(position), mouth, position)


@dataclass(frozen=True, slots=True)
class AvatarBundle:
    """A bundle whose manifest was read; `read` fetches a file of it by name."""

    manifest: AvatarManifest
    hash: str
    read: Callable[[str], bytes]

    def file(self, file: ModelFile) -> bytes:
        """The file's bytes.

        Raises:
            ModelError: it is missing, or not what the manifest promised.
        """
        where = f"Avatar {self.manifest.id}"
        try:
            data = self.read(file.path)
        except (KeyError, OSError):
            raise ModelError(f"{where}: {file.path} is missing. Fetch the avatar again.") from None
        return check_hash(file, data, where)


def folder_bundle(directory: Path) -> AvatarBundle:
    """The bundle in `directory`.

    Raises:
        ModelError: its manifest is missing or wrong, or names another avatar than the folder.
    """
    where = f"Avatar {directory.name}"
    try:
        data = (directory / MANIFEST).read_bytes()
    except OSError:
        raise ModelError(
            f"{where}: {MANIFEST} is missing. Fetch the avatar again, or run `make train`."
        ) from None
    manifest = read_manifest(AvatarManifest, data, where)
    if manifest.id != directory.name:
        raise ModelError(f"{where}: the manifest's id is {manifest.id}. Folder and id must be the same.")
    return AvatarBundle(
        manifest, hashlib.sha256(data).hexdigest(), lambda name: (directory / name).read_bytes()
    )


def zip_bundle(data: bytes, max_bytes: int) -> AvatarBundle:
    """The bundle in a zip of its folder, read in memory: nothing is ever written to disk.

    Only the manifest and the files it names are read: other entries, whatever they are called, do nothing.

    Raises:
        ModelError: not a zip, damaged, no proper manifest in it, or more than `max_bytes` when unpacked.
    """
    where = "The avatar bundle"
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
        if sum(entry.file_size for entry in archive.infolist()) > max_bytes:
            raise ModelError(f"{where} is larger than {max_bytes} bytes when unpacked.")
        text = archive.read(MANIFEST)
    except KeyError:
        raise ModelError(f"{where} holds no {MANIFEST} at its top.") from None
    except _UNREADABLE:
        raise ModelError(f"{where} is not a zip file, or a damaged one.") from None
    manifest = read_manifest(AvatarManifest, text, where)

    def read(name: str) -> bytes:
        try:
            return archive.read(name)
        except _UNREADABLE:
            raise ModelError(f"{where}: {name} cannot be unpacked.") from None

    return AvatarBundle(manifest, hashlib.sha256(text).hexdigest(), read)


def load_avatar(bundle: AvatarBundle, providers: Sequence[str], loops: LoopCache | None = None) -> Avatar:
    """Checks the loop and loads the mouth; `providers` are onnxruntime's names. Takes part of a second.

    Once it is decoded, the loop is kept in `loops`; without one, as long as the avatar.

    Raises:
        ModelError: a file is missing, damaged, or not what the manifest says.
    """
    manifest = bundle.manifest
    where = f"Avatar {manifest.id}"
    speak = _speak(bundle, providers, where)
    file, size = manifest.files.loop, _size(manifest)
    kept = LoopCache(0) if loops is None else loops
    loop = Loop(bundle.file(file), size, manifest.loop_frames, f"{where}: {file.path}", kept)
    loop.check()
    return Avatar(manifest, bundle.hash, speak, Compositor(manifest.mouth, size), loop)


def _size(manifest: AvatarManifest) -> Size:
    return Size(manifest.width_px, manifest.height_px)


def _speak(bundle: AvatarBundle, providers: Sequence[str], where: str) -> Speak:
    file, mouth = bundle.manifest.files.speak, bundle.manifest.mouth
    data, place = bundle.file(file), f"{where}: {file.path}"
    if mouth.contract == WARP_CONTRACT:
        return WarpedMouth(data, mouth.size_px, place)
    graph = Graph(data, providers, place)
    graph.check_contract(("pose", (len(CONTROLS),)), ("mouth", (3, mouth.size_px, mouth.size_px)))
    return graph
