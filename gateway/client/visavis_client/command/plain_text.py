"""Text from elsewhere goes in, text that cannot steer a terminal comes out."""

from __future__ import annotations

# C0 and C1 controls but tab and line feed: escape sequences start with one of them.
_CONTROLS = dict.fromkeys([*(code for code in range(32) if chr(code) not in "\t\n"), *range(127, 160)])


def plain_text(text: str) -> str:
    """The text without control characters."""
    return text.translate(_CONTROLS)
