"""A conversation goes in, the embedded model's prompt comes out: with what it is told ahead.

The examples hold a model of 135 million parameters to short, plain answers: with them "The capital of France
is Paris.", without them nonsense. They are the same for everybody: the model reads them once, at start-up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from services.text.conversation import Message, Role


@dataclass(frozen=True, slots=True)
class Persona:
    """A system message, examples of question and answer, and the sampling where the caller sets none."""

    system: str
    examples: tuple[tuple[str, str], ...]
    temperature: float
    repeat_penalty: float

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


_SYSTEM = (
    "You are Vis, a friendly assistant who talks with a face and a voice."
    " Answer truthfully in two to four short sentences."
)

# For the bundled model.
COACHED = Persona(
    system=_SYSTEM,
    examples=(
        (
            "Hi, who are you?",
            "Hi! I am Vis, a small assistant with a face and a voice. Ask me anything you like.",
        ),
        ("What is the capital of Italy?", "The capital of Italy is Rome."),
    ),
    temperature=0.2,
    repeat_penalty=1.1,
)
# For a model that the operator chose: it needs no examples, and might repeat them.
PLAIN = Persona(system=_SYSTEM, examples=(), temperature=0.7, repeat_penalty=1.0)
