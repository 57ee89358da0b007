"""The name of a step in, its files under build/training or services/lipsync/models out.

python -m services.lipsync.training STEP [--help]
STEP: corpus, mouth, moments, voices, evaluate, frames, decoder, loop, bundle or picture.
"""

import argparse
from pathlib import Path

from services.lipsync.training.head_commands import add_head_commands
from services.lipsync.training.mouth_commands import add_mouth_commands


def main() -> None:
    """Run one step of training."""
    parser = argparse.ArgumentParser(prog="python -m services.lipsync.training")
    parser.add_argument(
        "--work", type=Path, default=Path("build/training"), help="folder for what is in between"
    )
    commands = parser.add_subparsers(required=True)
    add_mouth_commands(commands)
    add_head_commands(commands)
    arguments = parser.parse_args()
    arguments.step(arguments)


if __name__ == "__main__":
    main()
