"""A checkpoint's path goes in, a network that serving offers comes out, or a sentence that says why not.

python -m services.lipsync.training.import_command CHECKPOINT --name NAME --licence TEXT --folder FOLDER
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

from services.lipsync.wav2lip_manifest import LOWEST_BANDS_HZ

# Frame i was trained with the window that begins one frame before it.
_TRAINED_OFFSET_SECONDS = -0.04
_SHIPPED = Path(__file__).parents[1] / "models" / "networks"
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_NO_ONNX = (
    "The importer needs the package onnx, which serving does without. Type:\n"
    f"  {sys.executable} -m pip install 'onnx>=1.23'"
)


def main() -> None:
    """Imports one network; exits with 1 and a sentence when it cannot."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--name", required=True, help="what requests call it")
    parser.add_argument("--folder", type=Path, required=True, help="where networks are; it gets one more")
    parser.add_argument("--licence", required=True, help="what its makers allow")
    parser.add_argument("--fmin", type=float, choices=LOWEST_BANDS_HZ, default=LOWEST_BANDS_HZ[0])
    parser.add_argument("--offset-seconds", type=float, default=_TRAINED_OFFSET_SECONDS)
    arguments = parser.parse_args()
    try:
        import onnx
    except ImportError:
        raise SystemExit(_NO_ONNX) from None
    del onnx
    raise SystemExit(_imported(arguments))


def _imported(arguments: argparse.Namespace) -> str | None:
    """None when it went well, else what to say."""
    from services.lipsync.training.network_import import Description, imported_network
    from services.lipsync.training.refusal import CheckpointRefused

    name, folder = arguments.name, arguments.folder / arguments.name
    if not _NAME.fullmatch(name):
        return f"{name} cannot be a name: take a-z, 0-9, dot, dash and underscore."
    if (_SHIPPED / name).exists():
        return f"{name} is a network that comes with the service. Take another --name."
    if folder.exists():
        return f"There is a network {name} in {arguments.folder}. Take another --name, or remove it."
    sys.stdout.write("Takes the network apart and compares it with the original, for about a minute.\n")
    sys.stdout.flush()
    description = Description(name, arguments.fmin, arguments.offset_seconds, arguments.licence)
    try:
        done = imported_network(arguments.checkpoint, description, folder)
    except CheckpointRefused as refusal:
        return f"{arguments.checkpoint.name}: {refusal}"
    except OSError as error:
        return f"{error.filename or arguments.checkpoint}: {error.strerror}."
    sys.stdout.write(
        f"{name}: differs from the original by at most {done.difference:.1e}.\nWritten to {done.folder}.\n"
    )
    return None


if __name__ == "__main__":
    main()
