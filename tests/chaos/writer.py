"""Conversations go in, answers come out slowly enough to be broken off; every question is remembered."""

from __future__ import annotations

import re
import time

from tests.fakes.openai_server import Answer, Delta, Finish, OpenAiServer, Pause, Received, Step, UsageChunk

SECONDS_PER_WORD = 0.08
ANSWERS = {
    "the moon": "The moon is a rock. It shines at night. Nobody lives there.",
    "the sea": "Nobody owns the sea. It comes and goes. So do the boats on it.",
    "a cat": "A cat sleeps most of the day. At night it walks on roofs.",
}
_TOPIC = re.compile("|".join(ANSWERS))
_WORD = re.compile(r"\S+\s*")


def answer_to(question: str) -> str:
    """What is said to it, each time the same."""
    found = _TOPIC.search(question)
    assert found is not None, question
    return ANSWERS[found.group()]


class Writer(OpenAiServer):
    """Asked to go on, it says the last word again, and goes on."""

    def __init__(self) -> None:
        super().__init__()
        # When each question was asked, in Unix seconds: every time, it is paid.
        self.asked: dict[str, list[float]] = {}

    def answer_to(self, request: Received) -> Answer:
        """The answer to the conversation's question, or the rest of it."""
        said = {message["role"]: message["content"] for message in reversed(request.body["messages"])}
        self.asked.setdefault(said["user"], []).append(time.time())
        words = _WORD.findall(_rest(answer_to(said["user"]), said.get("assistant", "")))
        steps: list[Step] = []
        for word in words:
            steps += [Pause(SECONDS_PER_WORD), Delta(word)]
        return Answer((*steps, Finish(), UsageChunk(7, len(words))))


def _rest(whole: str, said: str) -> str:
    last_word = (said.split() or [""])[-1]
    return whole[len(said.rstrip()) - len(last_word) :]
