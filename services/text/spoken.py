"""A slice of a reply as shown goes in, the words that a voice should read come out.

Markdown is read by markdown-it-py: on real replies a parser is right where patterns fail (nested emphasis,
links with brackets, code spans with asterisks). Only marks whose partner lies in another slice are left to
patterns.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from markdown_it import MarkdownIt
from markdown_it.token import Token

# An indented paragraph of a chat reply is an indented paragraph, not code; a line of "---" is no heading.
_MARKDOWN = MarkdownIt("commonmark").enable("strikethrough").disable(["code", "html_block", "lheading"])
_LINK = re.compile(r"(?:https?://|www\.)[^\s<>（）。，]*[^\s<>（）。，.,;:!?)\]'\"]", re.IGNORECASE)
_SITE = re.compile(r"(?:https?://)?(?:www\.)?([^/?#:]*)", re.IGNORECASE)
# Longer names are made by machines, for machines.
_MOST_SITE_CHARACTERS = 40
_HALF_LINK = re.compile(r"\]\([^()\s]*\)?")
_HALF_MARKS = re.compile(r"(?<!\w)(?:\*{1,3}|_{1,3}|~~|`+)(?=\S)|(?<=\S)(?:\*{1,3}|_{1,3}|~~|`+)(?!\w)")
_TABLE_RULE = re.compile(r"^[\s|:+-]*$")
_SPACE_BEFORE_MARK = re.compile(r"\s+([.,;:!?。，；：！？])")
_HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003134f]")
_WORD = re.compile(r"[^\W\d_\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003134f]+")
# Below this, symbols are letters' neighbours that voices read well: degree, section, copyright.
_FIRST_PICTOGRAPH = 0x2190
# Circled numbers and units in one character, such as ㎡.
_CJK_SYMBOLS = range(0x3200, 0x3400)
# Joins emoji, chooses their look, frames keycaps.
_EMOJI_GLUE = frozenset("\u200d\ufe0e\ufe0f\u20e3")


def spoken_text(shown: str) -> str:
    """`shown` without code blocks, Markdown marks and emoji; empty when nothing can be spoken.

    Of a bare link only the site's name is spoken, and nothing where the link stands alone.
    """
    words = _HALF_LINK.sub("", " ".join(_texts(_MARKDOWN.parse(shown))))
    if not any(character.isalnum() for character in _LINK.sub("", words)):
        return ""
    words = _HALF_MARKS.sub("", _LINK.sub(lambda link: site_name(link[0]), words))
    if shown.lstrip().startswith("|"):
        words = "" if _TABLE_RULE.match(words) else ", ".join(filter(None, map(str.strip, words.split("|"))))
    words = "".join(character for character in words if not _is_pictograph(character))
    words = _SPACE_BEFORE_MARK.sub(r"\1", " ".join(words.split()))
    return words if any(character.isalnum() for character in words) else ""


def site_name(link: str) -> str:
    """ "example.com" of "https://www.example.com/page"; empty where nobody could say it."""
    name = _SITE.match(link)
    return name[1] if name and len(name[1]) <= _MOST_SITE_CHARACTERS else ""


def is_chinese(text: str) -> bool:
    """Whether Chinese characters are no fewer than other words."""
    han = len(_HAN.findall(text))
    return han > 0 and han >= len(_WORD.findall(text))


def is_han(character: str) -> bool:
    """Whether one character is read as a syllable of Chinese."""
    return _HAN.match(character) is not None


def _texts(tokens: Iterable[Token]) -> Iterable[str]:
    for token in tokens:
        if token.type == "inline":
            yield "".join(_inline_texts(token.children or ()))


def _inline_texts(tokens: Iterable[Token]) -> Iterable[str]:
    for token in tokens:
        if token.type in ("text", "code_inline"):
            yield token.content
        elif token.type in ("softbreak", "hardbreak", "html_inline"):
            yield " "
        elif token.type == "image":
            yield token.content


def _is_pictograph(character: str) -> bool:
    if character in _EMOJI_GLUE:
        return True
    code = ord(character)
    if code < _FIRST_PICTOGRAPH or code in _CJK_SYMBOLS:
        return False
    return unicodedata.category(character) in ("So", "Sk", "Cn", "Co")
