"""The `visavis` command."""

import signal


def main() -> None:
    """Runs the command; exits 0 when it worked, 1 when it did not, 2 on wrong usage, 128 + n on a signal."""
    # While the modules load, Ctrl-C simply ends the process; each command then does better.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    from visavis_client.command.app import run

    run()
