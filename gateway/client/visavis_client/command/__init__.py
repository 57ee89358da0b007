"""The `visavis` command."""

from visavis_client.command.app import main

__all__ = ["main"]
