"""How a growing text is cut into what can be spoken."""

from __future__ import annotations

import itertools
import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from services.text.languages import LANGUAGES
from services.text.spoken import spoken_text
from services.text.utterances import Utterance, UtteranceSplitter

MOST_CHARACTERS = 200

# Every construct that replies hold, in any order: what a random text would almost never contain.
PIECES = st.sampled_from(
    [
        "Hello there. ",
        "How are you? ",
        "I met Dr. Smith, e.g. at 3.5 p.m. in the U.S. yesterday. ",
        "Well... I am not sure, but I think so! ",
        'She said "Stop!" and left. ',
        "**Bold words here.** ",
        "See [the page](https://example.com/a_b?c=d) or https://example.com/e.f now. ",
        "\n\n",
        "\n",
        "\n- an item\n",
        "\n12. another item\n",
        "\n## A heading\n",
        "\n| a | b |\n|---|---|\n",
        "\n```python\nprint('Hi. There.')\n```\n",
        "\n~~~\nopen",
        "`x = 1`",
        "你好。",
        "月亮离地球约38.4万公里，它没有大气……真的！",
        "他说：“你好。”",
        "👋🏽 ",
        "🎉",
        " - ",
        "1. ",
        "a" * 250,
        "word " * 60,
        "字" * 70,
        "   ",
        ".",
        "…",
        "\u00e9\u0301",
    ]
)
# Alone on its line each is nothing to say; read together, two of them would be a sentence.
LONE_MARKS = re.compile(r"^[ \t]*(?:\d{1,3}[.)]|[|: \t-]+)[ \t]*$", re.MULTILINE)
REPLIES = st.one_of(st.lists(PIECES, max_size=8).map("".join), st.text(max_size=80))


def utterances_of(text: str, portions: list[int] | None = None, language: str = "auto") -> list[Utterance]:
    """Fed in portions of these sizes, over and over; None: all at once."""
    splitter = UtteranceSplitter(language)
    sizes = itertools.cycle(portions or [max(len(text), 1)])
    utterances, place = [], 0
    while place < len(text):
        size = next(sizes)
        utterances += splitter.feed(text[place : place + size])
        place += size
    return utterances + splitter.finish()


def texts_of(text: str) -> list[str]:
    return [utterance.text for utterance in utterances_of(text)]


@settings(deadline=None)
@given(REPLIES, st.lists(st.integers(1, 40), min_size=1, max_size=6))
def test_the_portions_a_text_comes_in_do_not_matter(text: str, portions: list[int]) -> None:
    assert utterances_of(text, portions) == utterances_of(text)


@settings(deadline=None)
@given(REPLIES)
@example("\n| a | b |\n|---|---|\n1. ")
def test_utterances_are_slices_in_order_and_leave_out_only_what_cannot_be_spoken(text: str) -> None:
    told = 0
    for index, utterance in enumerate(utterances_of(text)):
        assert utterance.index == index
        assert utterance.text == text[utterance.offset : utterance.offset + len(utterance.text)]
        assert spoken_text(LONE_MARKS.sub("", text[told : utterance.offset])) == ""
        told = utterance.offset + len(utterance.text)
    assert spoken_text(LONE_MARKS.sub("", text[told:])) == ""


@settings(deadline=None)
@given(REPLIES)
def test_every_utterance_can_be_spoken_in_one_breath(text: str) -> None:
    for utterance in utterances_of(text):
        assert any(character.isalnum() for character in utterance.spoken_text)
        assert len(utterance.spoken_text) <= MOST_CHARACTERS
        assert utterance.language in LANGUAGES


@pytest.mark.parametrize(
    "sentences",
    [
        ["Hello there, friend.", "How are you today?"],
        ["I met Dr. Smith yesterday.", "He is doing well."],
        ["He lives in the U.S. and likes it.", "She lives in France."],
        ["Fruit, e.g. apples, is good.", "Eat it every day."],
        ["Pi is about 3.14159.", "It never ends at all."],
        ["Well... I am not sure.", "Maybe he is right."],
        ['She said "Stop!" and left.', "Then it rained."],
        ["It costs $3.50, i.e. three euros.", "That is cheap!"],
        ["The page is at https://example.com/a.b?c=d.", "It helps a lot."],
        ["Mr. and Mrs. Jones came.", "Prof. Lee did not."],
        ["J. R. R. Tolkien wrote it.", "I have read it."],
        ["Did it really work?!", "Yes, it really did!"],
        ["That worked very well!", "🎉 Now we go on."],
    ],
)
def test_english_is_cut_between_sentences(sentences: list[str]) -> None:
    text = " ".join(sentences)
    # After a first utterance, where clauses are no longer cut off.
    assert texts_of(f"Here is the text.\n\n{text}")[1:] == sentences


def test_chinese_is_cut_between_sentences() -> None:
    assert texts_of("我是一个小助手。月亮离地球约38.4万公里！他说：“你好吗？”然后走了。") == [
        "我是一个小助手。",
        "月亮离地球约38.4万公里！",
        "他说：“你好吗？”",
        "然后走了。",
    ]


def test_very_short_sentences_share_a_breath() -> None:
    assert texts_of("Yes. I do. It is a large city in the north.") == [
        "Yes. I do. It is a large city in the north."
    ]


def test_the_first_utterance_may_be_a_clause_and_later_ones_are_sentences() -> None:
    text = "The moon is Earth's only satellite, and it is far. The sun is a star, and it is farther away."
    assert texts_of(text) == [
        "The moon is Earth's only satellite,",
        "and it is far.",
        "The sun is a star, and it is farther away.",
    ]


def test_a_sentence_is_out_before_the_next_one_is_complete() -> None:
    splitter = UtteranceSplitter()
    assert [u.text for u in splitter.feed("The sun is a star. The moon is")] == ["The sun is a star."]


def test_a_long_sentence_is_cut_between_clauses() -> None:
    clause = "and then there came another one of those many little clauses, "
    pieces = texts_of("Once upon a time. " + clause * 6 + "which ended.")
    assert len(pieces) > 2
    assert all(piece.endswith(("clauses,", ".")) for piece in pieces)


def test_list_items_headings_and_table_rows_are_utterances_of_their_own() -> None:
    text = (
        "# Three things\n1. **Sleep** early\n2. Drink water\n   - nested item\n"
        "\n| day | hours |\n|---|---|\n| one | 8 |"
    )
    assert [utterance.spoken_text for utterance in utterances_of(text)] == [
        "Three things",
        "Sleep early",
        "Drink water",
        "nested item",
        "day, hours",
        "one, 8",
    ]


def test_a_wrapped_line_does_not_end_a_sentence() -> None:
    assert texts_of("The moon goes\naround the earth.") == ["The moon goes\naround the earth."]


def test_code_is_never_spoken_and_what_follows_it_is() -> None:
    text = "Run this.\n\n```python\nprint('Hi. There.')\n```\nThat was it."
    assert [utterance.spoken_text for utterance in utterances_of(text)] == ["Run this.", "That was it."]


@pytest.mark.parametrize("text", ["", "   \n", "🎉👍🏽", "```\ncode\n```", "---", "www.example.com", "?!"])
def test_nothing_speakable_makes_no_utterance(text: str) -> None:
    assert utterances_of(text) == []


def test_language_is_found_for_each_utterance() -> None:
    text = "The word for hello is short. 你好，很高兴见到你。 Python 是一种编程语言。"
    assert [utterance.language for utterance in utterances_of(text)] == ["en", "zh", "zh"]


def test_a_language_asked_for_is_kept() -> None:
    assert {u.language for u in utterances_of("Guten Tag. 你好。", language="de-DE")} == {"de-DE"}
