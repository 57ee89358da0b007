"""An avatar bundle (a folder, or a zip of one) goes in, a face ready to speak comes out, checked."""

from __future__ import annotations

import hashlib
import io
import zipfile
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

    @property
    def size(self) -> Size:
        """Of its pictures."""
        return Size(self.manifest.width_px, self.manifest.height_px)


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
        ModelError: not a zip, no proper manifest in it, or more than `max_bytes` when unpacked.
    """
    where = "The avatar bundle"
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
        if sum(entry.file_size for entry in archive.infolist()) > max_bytes:
            raise ModelError(f"{where} is larger than {max_bytes} bytes when unpacked.")
        text = archive.read(MANIFEST)
    except zipfile.BadZipFile:
        raise ModelError(f"{where} is not a zip file.") from None
    except KeyError:
        raise ModelError(f"{where} holds no {MANIFEST} at its top.") from None
    manifest = read_manifest(AvatarManifest, text, where)

    def read(name: str) -> bytes:
        try:
            return archive.read(name)
        except (zipfile.BadZipFile, NotImplementedError, RuntimeError):
            raise ModelError(f"{where}: {name} cannot be unpacked.") from None

    return AvatarBundle(manifest, hashlib.sha256(text).hexdigest(), read)


def load_avatar(bundle: AvatarBundle, providers: Sequence[str]) -> Avatar:
    """Decodes the loop and loads the mouth; `providers` are onnxruntime's names. Takes part of a second.

    Raises:
        ModelError: a file is missing, damaged, or not what the manifest says.
    """
    manifest = bundle.manifest
    where = f"Avatar {manifest.id}"
    speak = _speak(bundle, providers, where)
    frames = _loop(bundle.file(manifest.files.loop), manifest, where)
    return Avatar(manifest, bundle.hash, speak, Compositor(manifest.mouth, frames))


def _speak(bundle: AvatarBundle, providers: Sequence[str], where: str) -> Speak:
    file, mouth = bundle.manifest.files.speak, bundle.manifest.mouth
    data, place = bundle.file(file), f"{where}: {file.path}"
    if mouth.contract == WARP_CONTRACT:
        return WarpedMouth(data, mouth.size_px, place)
    graph = Graph(data, providers, place)
    graph.check_contract(("pose", (len(CONTROLS),)), ("mouth", (3, mouth.size_px, mouth.size_px)))
    return graph


def _loop(data: bytes, manifest: AvatarManifest, where: str) -> NDArray[np.uint8]:
    """The loop as (count, height * 3 / 2, width) I420."""
    asked = (manifest.width_px, manifest.height_px, "yuv420p")
    frames = np.empty((manifest.loop_frames, manifest.height_px * 3 // 2, manifest.width_px), np.uint8)
    count = 0
    try:
        with av.open(io.BytesIO(data), "r") as container:
            container.streams.video[0].thread_count = 1
            for picture in container.decode(video=0):
                if (picture.width, picture.height, picture.format.name) != asked or count == len(frames):
                    count = -1
                    break
                frames[count] = picture.to_ndarray()
                count += 1
    except (av.FFmpegError, IndexError):
        raise ModelError(f"{where}: {manifest.files.loop.path} cannot be decoded. Export it again.") from None
    if count != len(frames):
        raise ModelError(
            f"{where}: {manifest.files.loop.path} must hold exactly {len(frames)} yuv420p frames "
            f"of {asked[0]}x{asked[1]}. Export it again."
        )
    return frames
