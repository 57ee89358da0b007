"""What is shown against what is spoken."""

from __future__ import annotations

import pytest

from services.text.spoken import is_chinese, spoken_text


@pytest.mark.parametrize(
    ("shown", "spoken"),
    [
        ("Plain words.", "Plain words."),
        ("**Bold**, *slanted*, ~~struck~~ and `code`.", "Bold, slanted, struck and code."),
        ("***Both** at once*", "Both at once"),
        ("## A heading", "A heading"),
        ("- an item", "an item"),
        ("3. an item", "an item"),
        ("> quoted words", "quoted words"),
        ("[The page](https://example.com/a_(b)) is here.", "The page is here."),
        ("![A cat](https://example.com/cat.png)", "A cat"),
        ("See https://example.com/a?b=c, please.", "See example.com, please."),
        ("Go to www.example.com.", "Go to example.com."),
        ("See https://en.wikipedia.org/wiki/Moon_(disambiguation)#x now", "See en.wikipedia.org now"),
        ("请访问 https://www.example.com/a。", "请访问 example.com。"),
        (f"Look at https://{'a' * 50}.example.com/ now", "Look at now"),
        ("https://example.com/page.", ""),
        ("**Half a mark", "Half a mark"),
        ("and its other half.**", "and its other half."),
        ("half a link](https://example.com/x)", "half a link"),
        ("snake_case and 2*3 and 2 * 3", "snake_case and 2*3 and 2 * 3"),
        ("It is 20 °C 🌞 today 👍🏽!", "It is 20 °C today!"),
        ("First line  \nsecond line", "First line second line"),
        ("one<br>two", "one two"),
        ("AT&amp;T", "AT&T"),
        ("    indented words", "indented words"),
        ("| a | b |", "a, b"),
        ("|---|:-:|", ""),
        ("```\ncode\n```", ""),
        ("👨‍👩‍👧 🇫🇷 1️⃣", "1"),
        ("你好，**世界**！", "你好，世界！"),
        ("面积20㎡ 👍", "面积20㎡"),
    ],
)
def test_marks_are_shown_and_not_spoken(shown: str, spoken: str) -> None:
    assert spoken_text(shown) == spoken


@pytest.mark.parametrize(
    ("text", "chinese"),
    [
        ("Hello", False),
        ("你好", True),
        ("Python 是一种语言", True),
        ("The word 你 means you", False),
        ("42", False),
    ],
)
def test_chinese_characters_make_it_chinese(text: str, chinese: bool) -> None:
    assert is_chinese(text) is chinese
