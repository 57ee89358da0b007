"""The command line goes in, one of the commands runs; errors come out as one sentence and an exit code."""

from __future__ import annotations

import sys

import typer

from visavis_client.command.serve import serve
from visavis_client.local import StackError

app = typer.Typer(
    name="visavis",
    help="Send a conversation, a face answers: text, voice and lip-synced video.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(serve)


@app.callback()
def _commands() -> None:
    pass


def main() -> None:
    """Runs the command; exits 0 when it worked, 1 when it did not, 2 on wrong usage, 128 + n on a signal."""
    try:
        app()
    except StackError as error:
        print(error, file=sys.stderr)
        sys.exit(1)
