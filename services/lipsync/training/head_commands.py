"""Sub-commands `frames`, `decoder`, `loop`, `bundle` and `picture` in, avatars and a report on them out.

`frames` renders in a virtual environment of its own, because `bpy` is large and GPL: a tool, never part
of a service.
"""

import argparse
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

from services.lipsync.training.avatar_bundle import write_manifest, write_pictures
from services.lipsync.training.head_assets import fetched_assets
from services.lipsync.training.head_pictures import HeadPictures
from services.lipsync.training.identities import IDENTITIES
from services.lipsync.training.identity import Identity

BLENDER_PACKAGES = ("bpy==4.5.15", "numpy")
AVATARS = Path(__file__).parents[1] / "models" / "avatars"


def render(identity: Identity, build: Path) -> None:
    """Fetch the CC0 assets and Blender as needed, then render every picture of the head."""
    assets = fetched_assets(build / "assets")
    python = build / "blender" / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(build / "blender")], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", *BLENDER_PACKAGES], check=True)
    places = ["--assets", str(assets.root), "--frames", str(_frames(identity, build))]
    command = [str(python), "-m", "services.lipsync.training.render_frames", "--avatar", identity.id, *places]
    subprocess.run(command, check=True, cwd=Path(__file__).parents[3])


def train_decoder(identity: Identity, build: Path) -> None:
    """Train the network that draws the mouth and write it into the bundle."""
    # Only this step needs torch, which the other steps must not ask for.
    from services.lipsync.training.decoder_training import trained_speak

    file = AVATARS / identity.id / "speak.onnx"
    decibels = trained_speak(_pictures(identity, build), file)
    sys.stdout.write(f"{identity.id}/speak.onnx: {decibels:.1f} dB on poses held out from training\n")


def draw_loop(identity: Identity, build: Path) -> None:
    """Draw and encode the idle loop and the poster."""
    write_pictures(_pictures(identity, build), AVATARS / identity.id)


def describe_bundle(identity: Identity, build: Path) -> None:
    """Hash the bundle's files into its manifest."""
    del build
    write_manifest(identity, AVATARS / identity.id)


def judge_pictures(arguments: argparse.Namespace) -> None:
    """Compare what every avatar draws with true renders, and write the report."""
    from services.lipsync.training.picture_report import judged, write_picture_report

    build = arguments.work.resolve()
    avatars = {each.name: judged(AVATARS / each.id, _pictures(each, build)) for each in IDENTITIES.values()}
    sys.stdout.write(write_picture_report(AVATARS, avatars))


STEPS = {"frames": render, "decoder": train_decoder, "loop": draw_loop, "bundle": describe_bundle}


def add_head_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Register each step as a sub-command that works in the folder `--work`, for `--avatar` or for all."""
    for name, step in STEPS.items():
        parser = commands.add_parser(name, help=(step.__doc__ or "").splitlines()[0])
        parser.add_argument("--avatar", choices=IDENTITIES, help="only this one; without it, every avatar")
        parser.set_defaults(step=partial(_in_work_folder, step))
    picture = commands.add_parser("picture", help="score every avatar's mouths and write their report")
    picture.set_defaults(step=judge_pictures)


def _in_work_folder(step: Callable[[Identity, Path], None], arguments: argparse.Namespace) -> None:
    for identity in [IDENTITIES[arguments.avatar]] if arguments.avatar else IDENTITIES.values():
        step(identity, arguments.work.resolve())


def _frames(identity: Identity, build: Path) -> Path:
    return build / "head" / identity.id


def _pictures(identity: Identity, build: Path) -> HeadPictures:
    return HeadPictures(_frames(identity, build), identity.wall)
