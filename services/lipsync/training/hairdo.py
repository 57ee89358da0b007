"""A rig in, its hair out: a dark shell and strands over it, in the head's axes.

The shell keeps the scalp from shining through. A combed hairstyle is brushed out of the face; a grown one is
short enough to stay.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.lipsync.training.hair import Combing, FaceWindow, combed_strands
from services.lipsync.training.hair_growth import grown_strands
from services.lipsync.training.head_mesh import Floats, Proxy
from services.lipsync.training.rig import Rig

STRAND_RADIUS = 0.0035  # decimetres at the root
_COMBED_TAPER = 0.25
_SEED = 20


@dataclass(frozen=True)
class Hairdo:
    """Shell: the proxy's `vertices` (P,3) and which of its quads are `shown` (F,). Strands (N,K,3)."""

    vertices: Floats
    shown: NDArray[np.bool_]
    strands: Floats
    taper: float


def dressed_hair(rig: Rig, proxy: Proxy, opacity: NDArray[np.float32], eyes: Floats) -> Hairdo:
    """Hair on the shell `proxy`, whose texture has `opacity` (h,w); the left eye is at `eyes` (3,)."""
    hair = rig.identity.hair
    vertices = proxy.fitted(rig.resting)
    if isinstance(hair.strands, Combing):
        window = _face_window(eyes)
        shown = np.asarray(~window.contains(vertices[proxy.surface.quads]).any(1))
        strands = combed_strands(vertices, proxy.surface, hair.strands, window, _SEED)
        return Hairdo(window.brushed(vertices), shown, strands, _COMBED_TAPER)
    strands = grown_strands(vertices, proxy.surface, opacity, hair.strands, _SEED)
    return Hairdo(vertices, np.ones(len(proxy.surface.quads), bool), strands, hair.strands.taper)


def _face_window(eyes: Floats) -> FaceWindow:
    _, up, front = eyes
    return FaceWindow(
        centre=(0.0, up - 0.3),
        half_axes=(0.64, 0.86),
        head_centre=(0.0, up + 0.3, front - 0.85),
        head_half_axes=(0.85, 1.15, 1.0),
    )
