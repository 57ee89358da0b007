"""A photo or clip goes in, an avatar that can be asked for comes out; or its id goes in, and it is gone."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from visavis_client.client import AsyncClient
from visavis_client.command.gateways import with_gateway
from visavis_client.command.interruption import run_until_signal
from visavis_client.command.options import Server
from visavis_client.command.plain_text import plain_text
from visavis_client.command.progress import progress_display
from visavis_client.portrait import AvatarProgress

avatar = typer.Typer(name="avatar", help="Faces of your own.", no_args_is_help=True, rich_markup_mode=None)

_DOING = {
    "waiting": "Waiting for a worker",
    "reading": "Reading the file",
    "face": "Finding the face",
    "mouth": "Making the mouth",
    "loop": "Making it move",
    "packing": "Packing",
}
_QUESTION = "May you use this portrait: has the person in it agreed, or does nobody's right stand against it?"


@avatar.command("add")
def add(
    photo: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            exists=True,
            dir_okay=False,
            help="One face from the front: JPEG, PNG or WebP, or 2 to 10 silent seconds of MP4, MOV or WebM.",
        ),
    ],
    name: Annotated[str, typer.Option(metavar="NAME", help="What the avatar is called.")],
    *,
    consent: Annotated[bool, typer.Option("--consent", help="You may use this portrait.")] = False,
    server: Server = None,
) -> None:
    """Make a photo or clip speak: visavis avatar add photo.jpg --name ada, then visavis say … --avatar ada"""
    if not consent:
        if not sys.stdin.isatty():
            raise typer.BadParameter("Say --consent if you may use this portrait.")
        typer.confirm(_QUESTION, abort=True)

    with progress_display() as display:

        def show(progress: AvatarProgress) -> None:
            display.show(_DOING.get(progress.step, "Making the face"), progress.fraction)

        async def request(client: AsyncClient) -> str:
            return (await client.add_avatar(photo, name, consent=True, watcher=show)).id

        added = run_until_signal(with_gateway(server, display.say, request))
    print(plain_text(f"Added {added}. Try: visavis say Hello --avatar {added} -o hello.mp4"))


@avatar.command("remove")
def remove(
    avatar_id: Annotated[str, typer.Argument(metavar="ID", help="See `visavis avatars`.")],
    server: Server = None,
) -> None:
    """Remove a face that you have added."""
    run_until_signal(with_gateway(server, _say, lambda client: client.remove_avatar(avatar_id)))
    print(plain_text(f"Removed {avatar_id}."))


def _say(sentence: str) -> None:
    print(f"{sentence} …", file=sys.stderr, flush=True)
