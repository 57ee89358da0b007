"""A language and perhaps a name go in, the voice that will speak comes out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from visavis.rpc.failures import Failure, FailureType

# A tag may name Mandarin by its own code or by its macrolanguage's (BCP 47, extended language subtags).
_SAME_LANGUAGE = {"cmn": "zh"}


@dataclass(frozen=True, slots=True)
class Voice:
    """A voice that callers can name; `default` speaks its language when they name none."""

    name: str
    title: str
    languages: tuple[str, ...]
    gender: str
    default: bool = False

    def speaks(self, language: str) -> bool:
        """Whether the language matches, whatever the region."""
        return any(_primary(own) == _primary(language) for own in self.languages)


def voice_for(voices: Sequence[Voice], language: str, name: str) -> Voice:
    """The named voice, else the one for exactly this language tag, else the language's default.

    Raises:
        Failure: UNKNOWN_VOICE, INVALID_REQUEST when the voice does not speak the language, or
            UNSUPPORTED_LANGUAGE.
    """
    if name:
        named = next((voice for voice in voices if voice.name == name), None)
        if named is None:
            names = ", ".join(voice.name for voice in voices)
            raise Failure(FailureType.UNKNOWN_VOICE, f"There is no such voice. Choose one of: {names}.")
        if language and not named.speaks(language):
            raise Failure(
                FailureType.INVALID_REQUEST,
                f"The voice {named.name} speaks {', '.join(named.languages)}. "
                "Choose another voice or leave it out.",
            )
        return named
    # The stable sort keeps the provider's own order among equals.
    suitable = sorted(
        (voice for voice in voices if voice.speaks(language or "en")),
        key=lambda voice: (not _has_tag(voice, language), not voice.default),
    )
    if not suitable:
        spoken = ", ".join(sorted({_primary(tag) for voice in voices for tag in voice.languages}))
        raise Failure(
            FailureType.UNSUPPORTED_LANGUAGE, f"No voice speaks this language. Those spoken are: {spoken}."
        )
    return suitable[0]


def _primary(language: str) -> str:
    subtag = language.lower().replace("_", "-").split("-")[0]
    return _SAME_LANGUAGE.get(subtag, subtag)


def _has_tag(voice: Voice, language: str) -> bool:
    return language.lower() in (tag.lower() for tag in voice.languages)
