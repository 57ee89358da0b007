"""CC0 head assets in; vertices (decimetres, x right, y up, z to the camera), quads and fitted proxies out.

Formats: three.js JSON version 3 (base mesh and proxies), MakeHuman `targets.npz` (thousandths of a
decimetre), MakeHuman `.target` text files. A proxy (teeth, eyes, hair …)
hangs on the base mesh by barycentric weights.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from services.lipsync.training.head_assets import HeadAssets

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]

_FACE_FIELDS = 10  # type bits, 4 vertices, material, 4 texture coordinates
_MOUTH_CAVITY_VERTEX = 690  # deepest point of the oral cavity in the base mesh
_CAVITY_STEPS = (7, 8, 9, 10, 11, 12)  # edge steps from there; the lips' inner rim lies 9 to 11 steps away
_CAVITY_SHARE = (1.0, 0.8, 0.4, 0.1, 0.0, 0.0)
_BLINKS = ("eyeBlinkLeft", "eyeBlinkRight")
_BEARD_TARGETS = (("jawOpen", 0.45), ("mouth/mouth-philtrum-volume-incr", 0.5))  # morph, reach of full beard
_LIP_TARGETS = ("mouth/mouth-lowerlip-volume-incr", "mouth/mouth-upperlip-volume-incr")


@dataclass(frozen=True)
class Surface:
    """Quads (F,4) over vertices, their texture corners (F,4), texture coordinates (T,2), materials (F,)."""

    quads: Indices
    corners: Indices
    coordinates: Floats
    materials: Indices


@dataclass(frozen=True)
class Proxy:
    """A mesh that follows the base mesh: `weights` (P,3) of `anchors` (P,3) plus `offsets` (P,3) dm."""

    surface: Surface
    anchors: Indices
    weights: Floats
    offsets: Floats
    texture: Path

    def fitted(self, vertices: Floats) -> Floats:
        """(V,3) base vertices → (P,3) proxy vertices."""
        placed: Floats = (vertices[self.anchors] * self.weights[:, :, None]).sum(1) + self.offsets
        return placed


@dataclass(frozen=True)
class Morph:
    """Sparse displacement of the base mesh at full strength: `moves` (K,3) dm of vertices `indices` (K,)."""

    indices: Indices
    moves: Floats


class HeadMesh:
    """The base mesh and everything that deforms it or hangs on it, read lazily from `assets`."""

    def __init__(self, assets: HeadAssets) -> None:
        self._assets = assets
        content = json.loads((assets.core / "models" / "human_full_size.json").read_text())
        self.rest: Floats = np.array(content["vertices"], np.float64).reshape(-1, 3)
        self.surface = _surface(content)
        self._groups = [material["DbgName"] for material in content["materials"]]
        self._targets = np.load(assets.targets)
        self._morphs: dict[str, Morph] = {}

    def morph(self, name: str) -> Morph:
        """A MakeHuman target (`mouth/…`) or, for a name without a slash, a Face Unit. KeyError if unknown."""
        if name not in self._morphs:
            self._morphs[name] = self._target(name) if "/" in name else self._face_unit(name)
        return self._morphs[name]

    def morphed(self, strengths: Mapping[str, float], vertices: Floats) -> Floats:
        """(V,3) vertices moved by the named morphs, each times its strength."""
        moved = vertices.copy()
        for name, strength in strengths.items():
            if strength:
                morph = self.morph(name)
                moved[morph.indices] += strength * morph.moves
        return moved

    def faces_of(self, group: str) -> NDArray[np.bool_]:
        """Mask over the base mesh's quads that belong to the named group (`body`, `helper-tights` …)."""
        chosen: NDArray[np.bool_] = self.surface.materials == self._groups.index(group)
        return chosen

    def vertices_of(self, group: str) -> Indices:
        """Indices of the vertices those quads use."""
        return np.unique(self.surface.quads[self.faces_of(group)])

    def proxy(self, path: str) -> Proxy:
        """The core proxy at `proxies/<path>.json`."""
        file = self._assets.core / "proxies" / f"{path}.json"
        content = json.loads(file.read_text())
        anchors = np.array(content["ref_vIdxs"], np.int64)
        texture = file.parent / content["materials"][0]["mapDiffuse"]
        shape = (len(anchors), -1)
        weights = np.array(content["weights"], np.float64).reshape(shape)
        return Proxy(
            _surface(content), anchors.reshape(shape), weights, np.array(content["offsets"]), texture
        )

    @cached_property
    def lips(self) -> Floats:
        """(V,) share of lip red per vertex: what the volume targets move, and the lips' inner rim."""
        share = np.zeros(len(self.rest))
        for name in _LIP_TARGETS:
            morph = self.morph(name)
            reach = np.linalg.norm(morph.moves, axis=1)
            share[morph.indices] = np.maximum(
                share[morph.indices], np.clip(reach / np.percentile(reach, 85), 0, 1)
            )
        rim = (self._cavity_distance >= 9) & (self._cavity_distance <= 11)
        reddened: Floats = np.maximum(share, 0.8 * rim)
        return reddened

    @cached_property
    def beard(self) -> Floats:
        """(V,) share of beard per vertex: what the jaw moves, and the upper lip; the lips stay free."""
        share = np.zeros(len(self.rest))
        for name, full in _BEARD_TARGETS:
            morph = self.morph(name)
            reach = np.linalg.norm(morph.moves, axis=1)
            share[morph.indices] = np.maximum(
                share[morph.indices], np.clip(reach / (full * reach.max()), 0, 1)
            )
        bearded: Floats = share * share * (3 - 2 * share) * (1 - self.lips) * (1 - self.cavity)
        return bearded

    @cached_property
    def sockets(self) -> Floats:
        """(V,) share of eye socket per vertex: what a blink moves."""
        share = np.zeros(len(self.rest))
        for name in _BLINKS:
            morph = self.morph(name)
            share[morph.indices] = np.linalg.norm(morph.moves, axis=1)
        return np.clip(share / np.percentile(share[share > 0], 60), 0, 1)

    @cached_property
    def cavity(self) -> Floats:
        """(V,) share of mouth lining per vertex, 1 deep inside, 0 from the lips outwards."""
        share: Floats = np.interp(self._cavity_distance, _CAVITY_STEPS, _CAVITY_SHARE)
        return share

    @cached_property
    def _cavity_distance(self) -> Indices:
        quads = self.surface.quads[self.faces_of("body")]
        edges = np.concatenate([quads[:, [i, (i + 1) % 4]] for i in range(4)])
        far = _CAVITY_STEPS[-1] + 1
        distance = np.full(len(self.rest), far, np.int64)
        distance[_MOUTH_CAVITY_VERTEX] = 0
        for step in range(1, far):
            near = distance[edges] == step - 1
            reached = np.concatenate([edges[near[:, 0], 1], edges[near[:, 1], 0]])
            distance[reached] = np.minimum(distance[reached], step)
        return distance

    def _target(self, name: str) -> Morph:
        key = f"targets/{name}"
        return Morph(
            self._targets[f"{key}.index"].astype(np.int64),
            self._targets[f"{key}.vector"].astype(np.float64) * 1e-3,
        )

    def _face_unit(self, name: str) -> Morph:
        file = self._assets.face_units / f"{name}.target"
        if not file.is_file():
            raise KeyError(f"no Face Unit named {name!r}")
        rows = np.loadtxt(file, comments="#", ndmin=2)
        return Morph(rows[:, 0].astype(np.int64), rows[:, 1:4])


def _surface(content: Mapping[str, list[object]]) -> Surface:
    fields = np.array(content["faces"], np.int64).reshape(-1, _FACE_FIELDS)
    coordinates = np.array(content["uvs"][0], np.float64).reshape(-1, 2)
    return Surface(fields[:, 1:5], fields[:, 6:10], coordinates, fields[:, 5])
