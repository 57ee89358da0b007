"""A conversation goes in, the embedded model's prompt comes out: with what it is told ahead.

The examples hold a model of 135 million parameters to short, plain answers: with them "The capital of France
is Paris.", without them nonsense. They are the same for everybody: the model reads them once, at start-up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from services.text.conversation import Message, Role
from services.text.spoken import is_chinese


@dataclass(frozen=True, slots=True)
class Persona:
    """A system message, examples of question and answer, and the sampling where the caller sets none."""

    system: str
    examples: tuple[tuple[str, str], ...]
    temperature: float
    repeat_penalty: float
    # Said instead of an answer to who writes Chinese; None: the model knows Chinese.
    chinese_apology: str | None = None

    def before(self, messages: Sequence[Message]) -> list[Message]:
        """The prompt: what the model is told, then `messages`.

        A caller's own system message takes the place of ours; with examples it follows them, so that what was
        read at start-up stays the beginning of every prompt.
        """
        theirs = bool(messages) and messages[0].role is Role.SYSTEM
        ours = [] if theirs and not self.examples else [Message(Role.SYSTEM, self.system)]
        for question, answer in self.examples:
            ours += [Message(Role.USER, question), Message(Role.ASSISTANT, answer)]
        return [*ours, *messages]

    def apology_for(self, messages: Sequence[Message]) -> str | None:
        """What to say where the model cannot read the last message; None: let it answer."""
        if messages and is_chinese(messages[-1].content):
            return self.chinese_apology
        return None


# For the bundled model. Words and order were chosen by reading its replies to two dozen everyday questions;
# any chance in its choice of words makes it worse.
COACHED = Persona(
    system="You are Vis, a kind assistant. Answer in two to four short sentences.",
    examples=(
        (
            "Hi, who are you?",
            "Hi! I am Vis, a small assistant with a face and a voice. Ask me anything you like.",
        ),
        (
            "Why does the moon shine?",
            (
                "The moon is a ball of rock that travels around the earth once a month. It shines because it"
                " reflects the light of the sun."
            ),
        ),
        ("How are you?", "I am very well, thank you! How can I help you?"),
        ("What is the capital of Italy?", "The capital of Italy is Rome."),
    ),
    temperature=0.0,
    repeat_penalty=1.05,
    chinese_apology="很抱歉，我是内置的小语言模型，目前只会说英语。请用英语问我，我会尽力回答。",
)
# For a model that the operator chose: it needs no examples, and might repeat them.
PLAIN = Persona(
    system=(
        "You are Vis, a friendly assistant who talks with a face and a voice."
        " Answer in the user's language, in two to four short sentences that are easy to say aloud."
    ),
    examples=(),
    temperature=0.7,
    repeat_penalty=1.0,
)
