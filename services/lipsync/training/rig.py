"""Seven mouth controls (`pose/1`) and lids in; named morph strengths and head vertices out.

Every control runs 0..1. The rig is linear in each control but for two couplings: pressed lips keep the jaw
shut, and an open jaw puckers less and funnels more.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from services.lipsync.pose import CONTROLS, LIP_TEETH, TONGUE
from services.lipsync.training.head_mesh import Floats, HeadMesh

IDENTITY: Mapping[str, float] = {
    "macrodetails/caucasian-female-young": 0.75,
    "macrodetails/asian-female-young": 0.25,
    "macrodetails/universal-female-young-averagemuscle-averageweight": 1.0,
    "head/head-oval": 0.35,
    "eyes/l-eye-scale-incr": 0.3,
    "eyes/r-eye-scale-incr": 0.3,
    "nose/nose-scale-horiz-decr": 0.3,
    "nose/nose-width3-decr": 0.3,
    "mouth/mouth-angles-up": 0.35,
    "mouth/mouth-lowerlip-volume-incr": 0.25,
    "mouth/mouth-upperlip-volume-incr": 0.3,
    "chin/chin-width-decr": 0.3,
}
LID_STATES = (0.0, 0.25, 0.5, 0.75, 1.0)  # rendered once each; a blink fades between neighbours
UPPER_TEETH_LOWERED = 0.042  # decimetres; the core teeth sit too high to show below a speaking upper lip
LOWER_TEETH_LOWERED = 0.035
_BITE = np.array([0.0, 0.05, 0.07])  # brings the edge of the upper teeth out of the shadow onto the lower lip
RESTING_FACE: Mapping[str, float] = {
    "mouthSmileLeft": 0.42,
    "mouthSmileRight": 0.42,
    "cheekSquintLeft": 0.2,
    "cheekSquintRight": 0.2,
    "browInnerUp": 0.25,
    "browOuterUpLeft": 0.15,
    "browOuterUpRight": 0.15,
}


@dataclass(frozen=True)
class Expression:
    """What the face does: `mouth` controls in the order of CONTROLS, lids 0 open to 1 shut."""

    mouth: Sequence[float] = (0.0,) * len(CONTROLS)
    lids: float = 0.0


def mouth_morphs(controls: Sequence[float]) -> dict[str, float]:
    """Strengths of the morphs that shape jaw and lips; all zero for the resting mouth."""
    jaw, rounded, wide, press, lip_teeth, teeth, _ = (float(value) for value in controls)
    jaw *= 1 - press
    strengths = {
        "jawOpen": 0.62 * jaw + 0.02 * lip_teeth + 0.05 * teeth,
        "mouthPucker": rounded * (1 - 0.35 * jaw),
        "mouthFunnel": 0.35 * rounded * (1 + jaw),
        "mouthRollLower": 0.22 * press + 0.8 * lip_teeth,
        "mouthRollUpper": 0.3 * press,
        "mouthShrugLower": 0.2 * press + 0.2 * lip_teeth,
        "mouth/mouth-lowerlip-middle-up": 0.25 * lip_teeth,
    }
    for side in ("Left", "Right"):
        strengths[f"mouthPress{side}"] = 0.3 * press
        strengths[f"mouthStretch{side}"] = 0.5 * wide
        strengths[f"mouthSmile{side}"] = 0.2 * wide - 0.3 * rounded - 0.25 * lip_teeth
        strengths[f"mouthUpperUp{side}"] = 0.5 * teeth + 0.75 * lip_teeth + 0.15 * jaw + 0.15 * wide
        strengths[f"mouthLowerDown{side}"] = 0.3 * teeth
    return strengths


def eye_morphs(expression: Expression) -> dict[str, float]:
    """Strengths of the morphs that move the lids."""
    return {f"eyeBlink{side}": expression.lids for side in ("Left", "Right")}


class Rig:
    """Ava's head: her identity, her resting face, and the vertices of any expression."""

    def __init__(self, mesh: HeadMesh) -> None:
        self.mesh = mesh
        self.identity = mesh.morphed(IDENTITY, mesh.rest)
        self.resting = mesh.morphed(RESTING_FACE, self.identity)
        self._upper_teeth = mesh.vertices_of("helper-upper-teeth")
        self.resting[self._upper_teeth, 1] -= UPPER_TEETH_LOWERED
        self.resting[mesh.vertices_of("helper-lower-teeth"), 1] -= LOWER_TEETH_LOWERED
        self._tongue = mesh.vertices_of("helper-tongue")

    def vertices(self, expression: Expression) -> Floats:
        """(V,3) vertices in decimetres."""
        strengths = mouth_morphs(expression.mouth) | eye_morphs(expression)
        vertices = self.mesh.morphed(strengths, self.resting)
        self._raise_tongue(vertices, float(expression.mouth[TONGUE]))
        vertices[self._upper_teeth] += _BITE * float(expression.mouth[LIP_TEETH])
        return vertices

    def _raise_tongue(self, vertices: Floats, amount: float) -> None:
        depth = self.identity[self._tongue, 2]
        middle = np.percentile(depth, 55)
        tip = np.clip((depth - middle) / (depth.max() - middle), 0, 1)
        vertices[self._tongue, 1] += 0.13 * amount * tip
        vertices[self._tongue, 2] += 0.05 * amount * tip
