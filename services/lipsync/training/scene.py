"""Ava's rig in, Cycles pictures out: head, hair, shirt, studio and camera. Runs under Blender's Python only.

Blender's axes are x right, y away from the camera, z up; one unit is a decimetre.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bpy
import numpy as np

from services.lipsync.training import materials
from services.lipsync.training.framing import RENDER_PX, Box
from services.lipsync.training.hair import Combing, FaceWindow, combed_strands
from services.lipsync.training.head_mesh import Floats, Indices, Proxy, Surface
from services.lipsync.training.rig import Expression, Rig
from services.lipsync.training.studio import light_studio, place_camera

SKIN = "skins/young_caucasian_female/textures/young_lightskinned_female_diffuse.png"
HAIR = "hair/bob02/bob02"
TEETH = "teeth/Teeth_Base/Teeth_Base"
TONGUE = "tongue/tongue01/tongue01"
EYES = "eyes/HighPolyEyes/HighPolyEyes"
IRIS = "brown_eye.png"
BROWS = "eyebrows/eyebrow001/eyebrow001"
LASHES = "eyelashes/Eyelashes01/Eyelashes01"

_EYE_GROUP = "helper-l-eye"
_BODY_FROM, _SHIRT_FROM, _SHIRT_TO = 4.2, 3.2, 6.2  # heights; what lies below is out of the picture
_NECKLINE = 5.50
_AIM_BELOW_EYES = 0.36
_TEETH_BACK = 0.035  # the core teeth touch the lips from inside
_HAIR_SEED = 20
_STRAND_RADIUS = 0.0035
_STRAND_TAPER = 0.25
_MELANIN, _REDNESS = 0.78, 0.22
_SHELL_TINT = (0.12, 0.085, 0.065)
_CLOTH = (0.045, 0.10, 0.115)
_TEETH_TINT = (1.9, 1.82, 1.68)
_BROW_TINT = (0.55, 0.45, 0.4)
_LASH_TINT = (0.3, 0.3, 0.3)
_PLAIN = (1.0, 1.0, 1.0)


@dataclass(frozen=True)
class Part:
    """One object of the scene: which mesh vertices it uses and, for a proxy, how it follows the head."""

    thing: Any
    used: Indices
    proxy: Proxy | None = None
    back: float = 0.0


class Scene:
    """Ava before a camera; the picture is RENDER_PX square with alpha where the wall will be."""

    def __init__(self, rig: Rig, core: Path, threads: int) -> None:
        self._rig = rig
        self._core = core
        self._moving: list[Part] = []
        bpy.ops.wm.read_factory_settings(use_empty=True)
        self._scene = bpy.context.scene
        self._settings(threads)
        self._eyes = rig.resting[rig.mesh.vertices_of(_EYE_GROUP)].mean(0)
        eyeballs = self._added_head()
        self._add_shirt()
        self._strands = self._added_hair()
        face = _placed(np.array([0.0, self._eyes[1], self._eyes[2]]))
        light_studio(self._scene, face, eyeballs)
        place_camera(self._scene, face - np.array([0, 0, _AIM_BELOW_EYES]))
        self.pose(Expression())

    def sample(self, samples: int) -> None:
        """Set Cycles' paths per pixel."""
        self._scene.cycles.samples = samples

    def pose(self, expression: Expression) -> None:
        """Move every vertex to `expression`."""
        vertices = self._rig.vertices(expression)
        for part in self._moving:
            own = vertices if part.proxy is None else part.proxy.fitted(vertices)
            _move(part, own - np.array([0, 0, part.back]))

    def render(self, file: Path, box: Box | None = None, *, strands: bool = True) -> None:
        """Write a PNG of everything or of `box`, with or without the strands of hair."""
        self._strands.hide_render = not strands
        render = self._scene.render
        render.use_border = render.use_crop_to_border = box is not None
        if box is not None:
            render.border_min_x, render.border_max_x = box.x / RENDER_PX, (box.x + box.width) / RENDER_PX
            render.border_min_y = 1 - (box.y + box.height) / RENDER_PX
            render.border_max_y = 1 - box.y / RENDER_PX
        render.filepath = str(file)
        bpy.ops.render.render(write_still=True)

    def _settings(self, threads: int) -> None:
        render, cycles = self._scene.render, self._scene.cycles
        render.engine = "CYCLES"
        render.resolution_x = render.resolution_y = RENDER_PX
        render.film_transparent = True
        render.use_persistent_data = True
        render.threads_mode, render.threads = "FIXED", threads
        render.image_settings.file_format, render.image_settings.color_mode = "PNG", "RGBA"
        cycles.device, cycles.seed = "CPU", 0
        cycles.use_adaptive_sampling, cycles.adaptive_threshold = True, 0.03
        cycles.use_denoising, cycles.denoiser = True, "OPENIMAGEDENOISE"
        cycles.max_bounces, cycles.transparent_max_bounces = 6, 24
        self._scene.cycles_curves.shape = "RIBBONS"
        self._scene.view_settings.view_transform = "AgX"
        self._scene.view_settings.look = "AgX - Medium High Contrast"

    def _added_head(self) -> Any:
        """Skin and everything that moves with it; returns the eyeballs."""
        mesh = self._rig.mesh
        height = self._rig.identity[mesh.surface.quads].mean(1)[:, 1]
        skin = mesh.faces_of("body") & (height > _BODY_FROM)
        body = self._added(mesh.surface, skin, materials.skin(self._core / SKIN), subdivide=2)
        for name, share in (("lips", mesh.lips), ("cavity", mesh.cavity), ("sockets", mesh.sockets)):
            attribute = body.thing.data.attributes.new(name, "FLOAT", "POINT")
            attribute.data.foreach_set("value", share[body.used].astype(np.float32))
        self._moving.append(body)
        teeth, tongue, eyes = (mesh.proxy(path) for path in (TEETH, TONGUE, EYES))
        enamel = materials.textured(teeth.texture, _TEETH_TINT, 0.25, coat=0.4, glow=0.1)
        self._added_proxy(teeth, enamel, subdivide=1, back=_TEETH_BACK)
        self._added_proxy(tongue, materials.textured(tongue.texture, _PLAIN, 0.4, coat=0.3), subdivide=1)
        eyeballs = self._added_proxy(eyes, materials.eyes(eyes.texture.with_name(IRIS)), subdivide=1)
        for path, tint in ((BROWS, _BROW_TINT), (LASHES, _LASH_TINT)):
            proxy = mesh.proxy(path)
            self._added_proxy(proxy, materials.textured(proxy.texture, tint, 0.7, alpha=True))
        return eyeballs

    def _added_hair(self) -> Any:
        """The strands, over a dark shell that keeps the scalp from shining through."""
        proxy = self._rig.mesh.proxy(HAIR)
        vertices = proxy.fitted(self._rig.resting)
        _, up, front = self._eyes
        window = FaceWindow(
            centre=(0.0, up - 0.3),
            half_axes=(0.64, 0.86),
            head_centre=(0.0, up + 0.3, front - 0.85),
            head_half_axes=(0.85, 1.15, 1.0),
        )
        beside = ~window.contains(vertices[proxy.surface.quads]).any(1)
        shell = materials.textured(proxy.texture, _SHELL_TINT, 0.9, alpha=True)
        _move(self._added(proxy.surface, beside, shell), window.brushed(vertices))
        strands = combed_strands(vertices, proxy.surface, Combing(), window, _HAIR_SEED)
        curves = bpy.data.hair_curves.new("strands")
        curves.add_curves([strands.shape[1]] * len(strands))
        curves.position_data.foreach_set("vector", _placed(strands).astype(np.float32).ravel())
        radius = np.tile(_STRAND_RADIUS * np.linspace(1, _STRAND_TAPER, strands.shape[1]), len(strands))
        curves.attributes.new("radius", "FLOAT", "POINT").data.foreach_set("value", radius.astype(np.float32))
        curves.materials.append(materials.strands(_MELANIN, _REDNESS))
        thing = bpy.data.objects.new("strands", curves)
        self._scene.collection.objects.link(thing)
        return thing

    def _add_shirt(self) -> None:
        mesh = self._rig.mesh
        height = self._rig.identity[mesh.surface.quads].mean(1)[:, 1]
        quads = mesh.faces_of("helper-tights") & (height > _SHIRT_FROM) & (height < _SHIRT_TO)
        shirt = self._added(mesh.surface, quads, materials.cloth(_CLOTH, _NECKLINE), subdivide=2)
        spread = shirt.thing.modifiers.new("spread", "DISPLACE")
        spread.strength, spread.mid_level = 0.02, 0
        hem = shirt.thing.modifiers.new("hem", "SOLIDIFY")
        hem.thickness, hem.offset = 0.025, 1
        shirt.thing.modifiers.move(0, 2)
        _move(shirt, self._rig.resting)

    def _added_proxy(self, proxy: Proxy, material: Any, *, subdivide: int = 0, back: float = 0.0) -> Any:
        every = np.ones(len(proxy.surface.quads), bool)
        part = self._added(proxy.surface, every, material, subdivide)
        self._moving.append(Part(part.thing, part.used, proxy, back))
        return part.thing

    def _added(self, surface: Surface, faces: Any, material: Any, subdivide: int = 0) -> Part:
        quads, corners = surface.quads[faces], surface.corners[faces]
        used, own = np.unique(quads, return_inverse=True)
        mesh = bpy.data.meshes.new(material.name)
        mesh.from_pydata(np.zeros((len(used), 3)).tolist(), [], own.reshape(-1, 4).tolist())
        coordinates = mesh.uv_layers.new(name="texture")
        coordinates.data.foreach_set("uv", surface.coordinates[corners.ravel()].astype(np.float32).ravel())
        mesh.materials.append(material)
        mesh.polygons.foreach_set("use_smooth", np.ones(len(quads), bool))
        thing = bpy.data.objects.new(material.name, mesh)
        self._scene.collection.objects.link(thing)
        if subdivide:
            modifier = thing.modifiers.new("smooth", "SUBSURF")
            modifier.levels = modifier.render_levels = subdivide
        return Part(thing, used)


def _placed(vertices: Floats) -> Floats:
    """Head axes → Blender's axes."""
    return np.stack([vertices[..., 0], -vertices[..., 2], vertices[..., 1]], -1)


def _move(part: Part, vertices: Floats) -> None:
    mesh = part.thing.data
    mesh.vertices.foreach_set("co", _placed(vertices[part.used]).astype(np.float32).ravel())
    mesh.update()
