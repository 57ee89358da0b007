"""Lines of several processes go in, one stream of lines comes out, each with its time and process."""

from __future__ import annotations

import sys
from datetime import datetime

from honcho.colour import get_colours
from honcho.printer import Message, Printer

# "lipsync", the longest name.
_NAME_WIDTH = 7


class ProcessLines:
    """Prints to stdout, in one colour per process where that is a terminal."""

    def __init__(self) -> None:
        self._printer = Printer(sys.stdout, width=_NAME_WIDTH)
        self._free_colours = get_colours()
        self._colours: dict[str, str] = {}

    def show(self, name: str, line: str) -> None:
        """Prints one line."""
        if name not in self._colours:
            self._colours[name] = next(self._free_colours)
        now = datetime.now().astimezone()
        self._printer.write(Message(type="line", data=line, time=now, name=name, colour=self._colours[name]))
