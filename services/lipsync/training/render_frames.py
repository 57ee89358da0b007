"""An identity and head assets in, Cycles pictures out: the resting frame, lids, glances, mouths.

Runs under Blender's Python (`bpy`), as a process of its own.
A picture that is already there is kept, so an interrupted run goes on where it stopped.
"""

import argparse
from pathlib import Path

from services.lipsync.training.framing import EYES, MOUTH
from services.lipsync.training.head_assets import HeadAssets
from services.lipsync.training.head_mesh import HeadMesh
from services.lipsync.training.identities import IDENTITIES
from services.lipsync.training.identity import Identity
from services.lipsync.training.mouth_poses import pose_set
from services.lipsync.training.rig import GAZES, LID_STATES, Expression, Rig
from services.lipsync.training.scene import Scene

_MOUTH_SAMPLES = 8


def render_frames(identity: Identity, assets: HeadAssets, folder: Path, threads: int) -> None:
    """Write `neutral.png` (with alpha), `lids_<n>.png`, `gaze_<n>.png` and `mouth_<n>.png` into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    scene = Scene(Rig(HeadMesh(assets), identity), assets.core, threads)
    scene.sample(identity.frame_samples)
    neutral = folder / "neutral.png"
    if not neutral.exists():
        scene.render(neutral)
    eyes = {f"lids_{number}": Expression(lids=lids) for number, lids in enumerate(LID_STATES[1:], start=1)}
    eyes |= {f"gaze_{number}": Expression(gaze=gaze) for number, gaze in enumerate(GAZES)}
    for name, expression in eyes.items():
        file = folder / f"{name}.png"
        if not file.exists():
            scene.pose(expression)
            scene.render(file, EYES)
    scene.sample(_MOUTH_SAMPLES)
    for number, pose in enumerate(pose_set().all):
        file = folder / f"mouth_{number:04d}.png"
        if not file.exists():
            scene.pose(Expression(mouth=[float(value) for value in pose]))
            scene.render(file, MOUTH, strands=False)


def main() -> None:
    """Read the command line and render."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--avatar", choices=IDENTITIES, required=True, help="whose head")
    parser.add_argument("--assets", type=Path, required=True, help="folder of the unpacked asset packages")
    parser.add_argument("--frames", type=Path, required=True, help="folder for the pictures")
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    identity = IDENTITIES[arguments.avatar]
    render_frames(identity, HeadAssets(arguments.assets), arguments.frames, arguments.threads)


if __name__ == "__main__":
    main()
