"""What makes a head a person, as data: shape, skin, hair, eyes, clothes, wall.

Assets are named by their paths among MakeHuman's core assets, morphs as `HeadMesh.morph` reads them. Colours
are linear RGB 0..1, but those of a wall, which are seen as they are written.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from services.lipsync.training.hair import Combing
from services.lipsync.training.hair_growth import Growth

Colour = tuple[float, float, float]


@dataclass(frozen=True)
class Skin:
    """A core texture, what it is multiplied by, and what the lips and a shaved beard (0 none, 1 full) add.

    Light textures paint lids and eye sockets in a tired red, which a lower `socket_saturation` takes away.
    """

    texture: str
    tint: Colour
    lip_red: Colour
    lip_share: float = 0.6
    stubble: float = 0.0
    socket_saturation: float = 0.6


@dataclass(frozen=True)
class Hair:
    """A core hairstyle as a shell, the strands on it, and their pigment: melanin 0 white to 1 black.

    `greyed` is the colour of hair whose pigment is gone, which is greyer than little melanin makes it, and
    `greyed_share` how many strands have come to that; the others are black.
    """

    shell: str
    strands: Combing | Growth
    melanin: float
    redness: float
    shell_tint: Colour
    greyed: Colour | None = None
    greyed_share: float = 1.0


@dataclass(frozen=True)
class Brows:
    """A core pair of eyebrows and what its texture is multiplied by."""

    proxy: str
    tint: Colour


@dataclass(frozen=True)
class Wall:
    """A backdrop: its colour behind the head and towards the corners."""

    middle: Colour
    edge: Colour


@dataclass(frozen=True)
class Identity:
    """One shipped avatar.

    In decimetres: how far the `neckline` lies below the eyes, how far up and forward a raised tongue goes,
    and likewise the upper teeth in the `bite` of f and v, out of the shadow onto the lower lip.
    `lashes` thins them out: 1 is as thick as painted.
    `frame_samples` are Cycles' paths per pixel of the whole frame.
    """

    id: str
    name: str
    morphs: Mapping[str, float]
    skin: Skin
    hair: Hair
    brows: Brows
    iris: str
    cloth: Colour
    wall: Wall
    neckline: float = 1.045
    smile: float = 0.42
    teeth_glow: float = 0.3
    tongue_reach: tuple[float, float] = (0.1, 0.03)
    bite: tuple[float, float] = (0.05, 0.07)
    lashes: float = 1.0
    frame_samples: int = 12
