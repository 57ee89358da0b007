"""Where the face is in, soft studio light and a camera out. Blender's axes, decimetres and watts."""

from dataclasses import dataclass
from typing import Any

import bpy
import mathutils
import numpy as np

from services.lipsync.training.framing import FRAME_PX, RENDER_PX
from services.lipsync.training.head_mesh import Floats
from services.lipsync.training.identity import Colour

_LENS_MM, _SENSOR_MM = 85.0, 36.0
_DISTANCE = 7.3
_ROOM: Colour = (0.42, 0.40, 0.38)
_ROOM_STRENGTH = 0.5


@dataclass(frozen=True)
class Lamp:
    """A square area light aimed at the face: its place relative to the eyes, edge length, power and colour.

    Only a lamp that is `mirrored` shines on the eyes: more than one catch-light veils the pupil.
    """

    name: str
    place: tuple[float, float, float]
    size: float
    power: float
    colour: Colour
    mirrored: bool = True


LAMPS = (
    Lamp("key", (-3.6, -5.2, 3.0), 3.6, 640, (1.0, 0.95, 0.89)),
    Lamp("fill", (4.8, -5.2, 0.6), 6.0, 170, (0.93, 0.96, 1.0), mirrored=False),
    Lamp("low", (0.0, -4.2, -3.4), 4.0, 90, (1.0, 0.95, 0.9), mirrored=False),
    Lamp("top", (0.0, 0.6, 5.2), 4.0, 110, (1.0, 0.98, 0.95)),
    Lamp("rim left", (-4.2, 4.4, 2.2), 3.0, 190, (1.0, 0.96, 0.9)),
    Lamp("rim right", (4.2, 4.4, 2.2), 3.0, 230, (0.95, 0.97, 1.0)),
)


def light_studio(scene: Any, face: Floats, eyeballs: Any) -> None:
    """Hang LAMPS around `face`, the point between the eyes, and fill the room with dim light."""
    all_but_eyes = bpy.data.collections.new("all but eyes")
    all_but_eyes.objects.link(eyeballs)
    all_but_eyes.collection_objects[0].light_linking.link_state = "EXCLUDE"
    for lamp in LAMPS:
        light = bpy.data.lights.new(lamp.name, "AREA")
        light.size, light.energy, light.color = lamp.size, lamp.power, lamp.colour
        hung = _aimed(scene, light, face + np.array(lamp.place), face)
        if not lamp.mirrored:
            hung.light_linking.receiver_collection = all_but_eyes
    room = bpy.data.worlds.new("room")
    scene.world = room
    room.use_nodes = True
    background = room.node_tree.nodes["Background"]
    background.inputs["Color"].default_value = (*_ROOM, 1)
    background.inputs["Strength"].default_value = _ROOM_STRENGTH


def place_camera(scene: Any, target: Floats, size: float) -> None:
    """A portrait lens straight before `target`; the sensor grows with the margin, which keeps the scale.

    It stands back in proportion to the `size` of the face, so that every face fills the picture alike.
    """
    camera = bpy.data.cameras.new("camera")
    camera.lens = _LENS_MM
    camera.sensor_width = _SENSOR_MM * RENDER_PX / FRAME_PX
    scene.camera = _aimed(scene, camera, target - np.array([0, _DISTANCE * size, 0]), target)


def _aimed(scene: Any, data: Any, place: Floats, target: Floats) -> Any:
    thing = bpy.data.objects.new(data.name, data)
    thing.location = place
    towards = mathutils.Vector(target) - mathutils.Vector(place)
    thing.rotation_euler = towards.to_track_quat("-Z", "Y").to_euler()
    scene.collection.objects.link(thing)
    return thing
