"""A checkpoint goes in, a lip-sync network of one's own comes out, made by a process of the training."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from visavis_client.errors import VisavisError
from visavis_client.local import CHECKOUT

IMPORTER = "services.lipsync.training.import_command"

lipsync = typer.Typer(
    name="lipsync", help="Lip-sync networks of your own.", no_args_is_help=True, rich_markup_mode=None
)


class ImportRefused(VisavisError):
    """There is nothing here that can import, or it said no; it says why itself."""


@lipsync.callback()
def of_your_own() -> None:
    """Lip-sync networks of your own."""


@lipsync.command("import")
def import_network(
    checkpoint: Annotated[
        Path,
        typer.Argument(
            metavar="CHECKPOINT",
            exists=True,
            dir_okay=False,
            help="A Wav2Lip checkpoint (.pth), or the whole network as ONNX.",
        ),
    ],
    licence: Annotated[
        str, typer.Option(metavar="TEXT", help="What its makers allow; shown with the network.")
    ] = "unknown",
    name: Annotated[
        str | None, typer.Option(metavar="NAME", help="What requests call it; else the file's name.")
    ] = None,
    fmin: Annotated[
        int, typer.Option(metavar="55|95", help="Where its lowest band begins, in Hz, as it was trained.")
    ] = 55,
    folder: Annotated[
        Path | None,
        typer.Option(
            envvar="LIPSYNC_NETWORKS_DIR", metavar="FOLDER", help="Where the video service finds it."
        ),
    ] = None,
) -> None:
    """Make a Wav2Lip-contract checkpoint a network that can be chosen. Nothing in the file is ever run."""
    if fmin not in (55, 95):
        raise typer.BadParameter("--fmin is 55 or 95.")
    if not (CHECKOUT / "services" / "lipsync" / "training").is_dir():
        raise ImportRefused("Only a checkout of the project can import networks.")
    networks = (folder or CHECKOUT / "var" / "networks").absolute()
    arguments = [
        *(str(checkpoint.absolute()), "--name", name or _name_of(checkpoint), "--licence", licence),
        *("--fmin", str(fmin), "--folder", str(networks)),
    ]
    ended = subprocess.run(  # noqa: S603
        [sys.executable, "-m", IMPORTER, *arguments],
        cwd=CHECKOUT,
        check=False,
    )
    if ended.returncode:
        raise typer.Exit(1)
    typer.echo("It is offered from the next start of the video service on.")


def _name_of(checkpoint: Path) -> str:
    return re.sub(r"[^a-z0-9._-]+", "-", checkpoint.stem.lower()).strip("-._")[:64] or "imported"
