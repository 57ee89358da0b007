"""What is typed after a command goes in, checked values come out; wrong usage exits with 2."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from visavis_client.connection import connection
from visavis_client.errors import VisavisError


class OutputRefused(VisavisError):
    """The output cannot be written, or would replace something."""


def _server(address: str | None) -> str | None:
    if address:
        try:
            connection(address, None)
        except ValueError as error:
            raise typer.BadParameter(f"{error}.") from None
    return address or None


Server = Annotated[
    str | None,
    typer.Option(
        envvar="VISAVIS_SERVER",
        callback=_server,
        metavar="URL",
        help="A running gateway; VISAVIS_API_KEY holds its key. Without one, everything is started on this "
        "machine and ended afterwards.",
    ),
]
Output = Annotated[
    Path,
    typer.Option("--output", "-o", metavar="FILE.mp4", help="The video (MP4: H.264 and AAC)."),
]
Force = Annotated[
    bool, typer.Option("--force", "-f", help="Replace the output file if it exists; else that is an error.")
]
Voice = Annotated[str | None, typer.Option(metavar="NAME", help="Who speaks: see `visavis voices`.")]
Avatar = Annotated[str | None, typer.Option(metavar="ID", help="Whose face: see `visavis avatars`.")]
Network = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="What moves the lips: one imported by `visavis lipsync import`."),
]
Language = Annotated[str | None, typer.Option(metavar="TAG", help="en, zh, … Found by itself when left out.")]
SpeakingRate = Annotated[
    float | None, typer.Option(min=0.5, max=2.0, metavar="RATE", help="1 is normal, 2 twice as fast.")
]
PitchSemitones = Annotated[
    float | None,
    typer.Option(
        "--pitch", min=-12.0, max=12.0, metavar="SEMITONES", help="0 is the voice's own, 12 an octave higher."
    ),
]


def check_output(path: Path, *, force: bool) -> None:
    """Refuses, before any work is done, what could not or should not be written afterwards.

    Raises:
        typer.BadParameter: it is not the name of an MP4 file.
        OutputRefused: it exists, or its folder does not, or cannot be written to.
    """
    if path.suffix.lower() != ".mp4":
        raise typer.BadParameter(f"{path} is not an MP4 file: let its name end in .mp4.")
    if path.is_dir():
        raise OutputRefused(f"{path} is a folder.")
    if not path.parent.is_dir():
        raise OutputRefused(f"There is no folder {path.parent}.")
    if path.exists() and not force:
        raise OutputRefused(f"{path} exists; --force replaces it.")
    try:
        # Only a try tells: permissions are not all that may forbid it.
        tempfile.TemporaryFile(dir=path.parent).close()
    except OSError as error:
        raise OutputRefused(f"Nothing can be written in {path.parent}: {error.strerror}.") from None


def text_of(argument: str | None, file: Path | None) -> str:
    """The text from the argument, the file, or stdin for `-`. Raises typer.BadParameter."""
    if (argument is None) == (file is None):
        raise typer.BadParameter("Give a text, or - to read it from stdin, or --file.")
    try:
        if file is not None:
            text = file.read_text(encoding="utf-8-sig")
        elif argument == "-":
            text = sys.stdin.buffer.read().decode("utf-8-sig")
        else:
            text = argument or ""
    except UnicodeDecodeError as error:
        raise typer.BadParameter(f"The text is not UTF-8: byte {error.start} cannot be read.") from None
    except OSError as error:
        raise typer.BadParameter(f"Cannot read {file}: {error.strerror}.") from None
    if not text.strip():
        raise typer.BadParameter("The text is empty.")
    return text
