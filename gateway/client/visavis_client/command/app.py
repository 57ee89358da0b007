"""The command line goes in, one of the commands runs; errors come out as one sentence and an exit code."""

from __future__ import annotations

import os
import sys
from http import HTTPStatus

import typer

from visavis_client.command.gateways import API_KEY
from visavis_client.command.lipsync import lipsync
from visavis_client.command.lists import avatars, voices
from visavis_client.command.plain_text import plain_text
from visavis_client.command.portraits import avatar
from visavis_client.command.serve import serve
from visavis_client.command.speak import animate, ask, say
from visavis_client.errors import Problem, VisavisError

app = typer.Typer(
    name="visavis",
    help="Send a conversation, a face answers: text, voice and lip-synced video.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    # Boxes would break sentences and paths into pieces.
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in (say, ask, animate, voices, avatars, serve):
    app.command()(command)
app.add_typer(avatar)
app.add_typer(lipsync)


def run() -> None:
    """Runs the command that was typed, and exits with its code."""
    try:
        app()
    except VisavisError as error:
        refused = isinstance(error, Problem) and error.status == HTTPStatus.UNAUTHORIZED
        sentence = f"{error} This command sends the one in {API_KEY}." if refused else str(error)
    except OSError as error:
        sentence = f"{error.filename}: {error.strerror}" if error.filename else str(error)
    except Exception as error:
        if os.environ.get("VISAVIS_TRACEBACK"):
            raise
        sentence = (
            f"visavis itself failed ({type(error).__name__}: {error}); VISAVIS_TRACEBACK=1 shows where."
        )
    print(plain_text(sentence), file=sys.stderr)
    sys.exit(1)
