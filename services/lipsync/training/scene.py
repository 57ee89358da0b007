"""A rig in, Cycles pictures out: head, hair, shirt, studio and camera. Runs under Blender's Python only.

Blender's axes are x right, y away from the camera, z up; one unit is a decimetre.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bpy
import numpy as np

from services.lipsync.training import materials
from services.lipsync.training.framing import RENDER_PX, Box
from services.lipsync.training.hairdo import STRAND_RADIUS, dressed_hair
from services.lipsync.training.head_mesh import Floats, Indices, Proxy, Surface
from services.lipsync.training.rig import Expression, Rig
from services.lipsync.training.studio import light_studio, place_camera

TEETH = "teeth/Teeth_Base/Teeth_Base"
TONGUE = "tongue/tongue01/tongue01"
EYES = "eyes/HighPolyEyes/HighPolyEyes"
LASHES = "eyelashes/Eyelashes01/Eyelashes01"

_EYE_GROUP, _TEETH_GROUP = "helper-l-eye", "helper-upper-teeth"
_EYES_ABOVE_TEETH = 0.5042  # decimetres in a face of size 1
_BODY_BELOW_EYES, _SHIRT_BELOW_EYES = 2.345, 3.345  # what lies further down is out of the picture
_SHIRT_ENDS_BELOW_EYES = 0.345
_AIM_BELOW_EYES = 0.36
_TEETH_BACK = 0.035  # the core teeth touch the lips from inside
_TEETH_TINT = (1.9, 1.78, 1.55)
_TEETH_DARKEN = (0.06, 0.3)  # so far behind the foremost, teeth begin to darken and are as dark as they get
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
    """Somebody before a camera; the picture is RENDER_PX square with alpha where the wall will be."""

    def __init__(self, rig: Rig, core: Path, threads: int) -> None:
        self._rig = rig
        self._core = core
        self._moving: list[Part] = []
        bpy.ops.wm.read_factory_settings(use_empty=True)
        self._scene = bpy.context.scene
        self._settings(threads)
        self._eyes = rig.resting[rig.mesh.vertices_of(_EYE_GROUP)].mean(0)
        teeth = rig.resting[rig.mesh.vertices_of(_TEETH_GROUP)].mean(0)
        self._size = float(self._eyes[1] - teeth[1]) / _EYES_ABOVE_TEETH
        eyeballs = self._added_head()
        self._add_shirt()
        self._strands = self._added_hair()
        face = _placed(np.array([0.0, self._eyes[1], self._eyes[2]]))
        light_studio(self._scene, face, eyeballs)
        place_camera(self._scene, face - np.array([0, 0, _AIM_BELOW_EYES * self._size]), self._size)
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
        looks = self._rig.identity
        skin = mesh.faces_of("body") & (self._below_eyes() < _BODY_BELOW_EYES)
        body = self._added(
            mesh.surface,
            skin,
            materials.skin(self._core / "skins" / f"{looks.skin.texture}.png", looks.skin),
            subdivide=2,
        )
        for name in ("lips", "cavity", "sockets", "beard"):
            _set_share(body.thing, name, getattr(mesh, name)[body.used])
        self._moving.append(body)
        teeth, tongue, eyes = (mesh.proxy(path) for path in (TEETH, TONGUE, EYES))
        enamel = materials.textured(
            teeth.texture, _TEETH_TINT, 0.25, coat=0.4, glow=looks.teeth_glow, shade="depth"
        )
        rows = self._added_proxy(teeth, enamel, subdivide=1, back=_TEETH_BACK)
        front = teeth.fitted(self._rig.resting)[:, 2]
        _set_share(rows, "depth", np.interp(front.max() - front, _TEETH_DARKEN, (0, 1)))
        self._added_proxy(tongue, materials.textured(tongue.texture, _PLAIN, 0.4, coat=0.3), subdivide=1)
        eyeballs = self._added_proxy(
            eyes, materials.eyes(eyes.texture.with_name(f"{looks.iris}.png")), subdivide=1
        )
        brows = (f"eyebrows/{looks.brows.proxy}", looks.brows.tint, 1.0)
        for path, tint, opacity in (brows, (LASHES, _LASH_TINT, looks.lashes)):
            proxy = mesh.proxy(path)
            self._added_proxy(proxy, materials.textured(proxy.texture, tint, 0.7, opacity=opacity))
        return eyeballs

    def _added_hair(self) -> Any:
        hair = self._rig.identity.hair
        proxy = self._rig.mesh.proxy(f"hair/{hair.shell}")
        hairdo = dressed_hair(self._rig, proxy, materials.opacity(proxy.texture), self._eyes)
        shell = materials.textured(proxy.texture, hair.shell_tint, 0.9, opacity=1.0)
        _move(self._added(proxy.surface, hairdo.shown, shell), hairdo.vertices)
        strands, points = hairdo.strands, hairdo.strands.shape[1]
        curves = bpy.data.hair_curves.new("strands")
        curves.add_curves([points] * len(strands))
        curves.position_data.foreach_set("vector", _placed(strands).astype(np.float32).ravel())
        radius = np.tile(STRAND_RADIUS * np.linspace(1, hairdo.taper, points), len(strands))
        curves.attributes.new("radius", "FLOAT", "POINT").data.foreach_set("value", radius.astype(np.float32))
        curves.materials.append(materials.strands(hair))
        thing = bpy.data.objects.new("strands", curves)
        self._scene.collection.objects.link(thing)
        return thing

    def _add_shirt(self) -> None:
        mesh = self._rig.mesh
        below = self._below_eyes()
        quads = (
            mesh.faces_of("helper-tights") & (below < _SHIRT_BELOW_EYES) & (below > _SHIRT_ENDS_BELOW_EYES)
        )
        neckline = float(self._eyes[1]) - self._rig.identity.neckline
        shirt = self._added(
            mesh.surface, quads, materials.cloth(self._rig.identity.cloth, neckline), subdivide=2
        )
        spread = shirt.thing.modifiers.new("spread", "DISPLACE")
        spread.strength, spread.mid_level = 0.02, 0
        hem = shirt.thing.modifiers.new("hem", "SOLIDIFY")
        hem.thickness, hem.offset = 0.025, 1
        shirt.thing.modifiers.move(0, 2)
        _move(shirt, self._rig.resting)

    def _below_eyes(self) -> Floats:
        """(F,) how far each quad of the base mesh lies below the eyes, in faces of size 1."""
        quads = self._rig.mesh.surface.quads
        return (self._eyes[1] - self._rig.shape[quads].mean(1)[:, 1]) / self._size

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


def _set_share(thing: Any, name: str, share: Floats) -> None:
    """Give a material a share 0..1 per vertex, by name."""
    attribute = thing.data.attributes.new(name, "FLOAT", "POINT")
    attribute.data.foreach_set("value", share.astype(np.float32))


def _placed(vertices: Floats) -> Floats:
    """Head axes → Blender's axes."""
    return np.stack([vertices[..., 0], -vertices[..., 2], vertices[..., 1]], -1)


def _move(part: Part, vertices: Floats) -> None:
    mesh = part.thing.data
    mesh.vertices.foreach_set("co", _placed(vertices[part.used]).astype(np.float32).ravel())
    mesh.update()
