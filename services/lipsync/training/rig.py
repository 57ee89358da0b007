"""Seven mouth controls (`pose/1`) and lids in; named morph strengths and head vertices out.

Every control runs 0..1. The rig is linear in each control but for two couplings: pressed lips keep the jaw
shut, and an open jaw puckers less and funnels more.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from services.lipsync.pose import CONTROLS, JAW, LIP_TEETH, ROUND, TONGUE
from services.lipsync.training.head_mesh import Floats, HeadMesh
from services.lipsync.training.identity import Identity

LID_STATES = (0.0, 0.25, 0.5, 0.75, 1.0)  # rendered once each; a blink fades between neighbours
GAZES = ((3.5, 0.0), (-3.5, 0.0), (1.0, -3.0))  # degrees; rendered once each, a glance jumps there and back
UPPER_TEETH_LOWERED = 0.042  # decimetres; the core teeth sit too high to show below a speaking upper lip
LOWER_TEETH_LOWERED = 0.035
# Decimetres up and forward, behind rounded lips and an open jaw: "oh" is dark inside, "oo" shows no teeth.
UPPER_TEETH_ROUNDED = np.array((0.035, -0.1))
LOWER_TEETH_ROUNDED, LOWER_TEETH_OPEN = np.array((-0.05, -0.08)), np.array((-0.03, -0.02))
TONGUE_ROUNDED, TONGUE_OPEN = np.array((-0.06, -0.12)), np.array((-0.02, 0.06))


@dataclass(frozen=True)
class Expression:
    """What the face does: `mouth` controls in the order of CONTROLS, lids 0 open to 1 shut.

    `gaze` turns both eyes by degrees to the picture's right and upwards.
    """

    mouth: Sequence[float] = (0.0,) * len(CONTROLS)
    lids: float = 0.0
    gaze: tuple[float, float] = (0.0, 0.0)


def resting_morphs(smile: float) -> dict[str, float]:
    """Strengths of the morphs of a friendly face at rest; `smile` 0..1 raises the corners of the mouth."""
    strengths = {"browInnerUp": 0.25}
    for side in ("Left", "Right"):
        strengths[f"mouthSmile{side}"] = smile
        strengths[f"cheekSquint{side}"] = 0.2
        strengths[f"browOuterUp{side}"] = 0.15
    return strengths


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
    """Somebody's head: the identity's shape, its resting face, and the vertices of any expression."""

    def __init__(self, mesh: HeadMesh, identity: Identity) -> None:
        self.mesh = mesh
        self.identity = identity
        self.shape = mesh.morphed(identity.morphs, mesh.rest)
        self.resting = mesh.morphed(resting_morphs(identity.smile), self.shape)
        self._upper_teeth = mesh.vertices_of("helper-upper-teeth")
        self.resting[self._upper_teeth, 1] -= UPPER_TEETH_LOWERED
        self._lower_teeth = mesh.vertices_of("helper-lower-teeth")
        self.resting[self._lower_teeth, 1] -= LOWER_TEETH_LOWERED
        self._tongue = mesh.vertices_of("helper-tongue")
        self._eyeballs = [mesh.vertices_of(f"helper-{side}-eye") for side in "lr"]

    def vertices(self, expression: Expression) -> Floats:
        """(V,3) vertices in decimetres."""
        strengths = mouth_morphs(expression.mouth) | eye_morphs(expression)
        vertices = self.mesh.morphed(strengths, self.resting)
        self._raise_tongue(vertices, float(expression.mouth[TONGUE]))
        if any(expression.gaze):
            self._turn_eyes(vertices, expression.gaze)
        vertices[self._upper_teeth, 1:] += np.array(self.identity.bite) * float(expression.mouth[LIP_TEETH])
        self._draw_back_inside(vertices, float(expression.mouth[JAW]), float(expression.mouth[ROUND]))
        return vertices

    def _draw_back_inside(self, vertices: Floats, jaw: float, rounded: float) -> None:
        """Leave teeth and tongue behind: rounded lips reach further forward than their morphs do."""
        vertices[self._upper_teeth, 1:] += rounded * UPPER_TEETH_ROUNDED
        vertices[self._lower_teeth, 1:] += rounded * LOWER_TEETH_ROUNDED + jaw * LOWER_TEETH_OPEN
        vertices[self._tongue, 1:] += rounded * TONGUE_ROUNDED + jaw * TONGUE_OPEN

    def _raise_tongue(self, vertices: Floats, amount: float) -> None:
        depth = self.shape[self._tongue, 2]
        middle = np.percentile(depth, 55)
        tip = np.clip((depth - middle) / (depth.max() - middle), 0, 1)
        up, forward = self.identity.tongue_reach
        vertices[self._tongue, 1] += up * amount * tip
        vertices[self._tongue, 2] += forward * amount * tip

    def _turn_eyes(self, vertices: Floats, gaze: tuple[float, float]) -> None:
        right, up = np.radians(gaze)
        across = np.array([[np.cos(right), 0, np.sin(right)], [0, 1, 0], [-np.sin(right), 0, np.cos(right)]])
        along = np.array([[1, 0, 0], [0, np.cos(up), np.sin(up)], [0, -np.sin(up), np.cos(up)]])
        for eyeball in self._eyeballs:
            centre = vertices[eyeball].mean(0)
            vertices[eyeball] = centre + (vertices[eyeball] - centre) @ (across @ along).T
