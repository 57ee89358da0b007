"""An utterance's words go in, the language a voice should read them in comes out.

Chinese is known by its script. py3langid (4.5 MB) tells de, en, es, fr and it apart best: it was right for 87
of 90 short sentences, half of the English ones full of foreign names, at 0.1 ms each. lingua (96 MB) and
simplemma (19 MB) were right for 84.
"""

from __future__ import annotations

from functools import cache

from py3langid.langid import MODEL_FILE, LanguageIdentifier

from services.text.spoken import is_chinese

LANGUAGES = ("de", "en", "es", "fr", "it", "zh")
# Shorter utterances say too little; a reply rarely changes its language, but sentences name foreign things.
_LEAST_LETTERS = 20
_SURE_ENOUGH_TO_BEGIN = 0.95
_SURE_ENOUGH_TO_CHANGE = 0.99


def language_of(spoken: str, before: str = "") -> str:
    """One of `LANGUAGES`. `before` is the reply's language so far, empty at its beginning.

    Where the words do not say, the reply goes on as before; at its beginning, or after Chinese, in English.
    """
    if is_chinese(spoken):
        return "zh"
    going_on = before if before not in ("", "zh") else "en"
    if sum(map(str.isalpha, spoken)) < _LEAST_LETTERS:
        return going_on
    language, probability = _identifier().classify(spoken)
    sure_enough = _SURE_ENOUGH_TO_CHANGE if before else _SURE_ENOUGH_TO_BEGIN
    return str(language) if probability >= sure_enough else going_on


def load_languages() -> None:
    """Loads what `language_of` needs, ahead of its first use: half a second on one core."""
    _identifier()


@cache
def _identifier() -> LanguageIdentifier:
    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages([language for language in LANGUAGES if language != "zh"])
    return identifier
