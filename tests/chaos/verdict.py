"""What clients heard, what the logs hold and what a calm run made goes in; what was broken comes out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field

from tests.chaos.readers import Heard
from tests.fakes.served_gateway import TERMINAL, Told


@dataclass(slots=True)
class Verdict:
    """Counts over all replies; those from `texts_garbled` on should be 0."""

    replies: int = 0
    with_one_terminal_event: int = 0
    completed: int = 0
    gateways_killed: int = 0
    workers_killed: int = 0
    proxy_processes_killed: int = 0
    reconnects: int = 0
    taken_over: int = 0
    texts_resumed: int = 0
    # A model is asked for the rest of a text once: these ended in an error that says to ask again.
    texts_broken_twice: int = 0
    # Of gateways that died before they had answered: made again for the client that asks again.
    replies_unheard_of: int = 0
    seconds: float = 0.0
    texts_garbled: int = 0
    events_lost: int = 0
    events_duplicated: int = 0
    texts_asked_again_after_text_ok: int = 0
    media_that_differ: int = 0
    left_behind: int = 0
    failures: list[str] = field(default_factory=list)

    def take(self, client: Heard, log: Sequence[Told]) -> None:
        """Judges what one client heard by what its reply's log holds in the end."""
        self.replies += 1
        self.reconnects += client.reconnects
        self.with_one_terminal_event += [event.type in TERMINAL for event in log] == [
            *[False] * (len(log) - 1),
            True,
        ]
        last = log[-1].data
        self.completed += last.get("status") == "completed"
        if last.get("type") == "interrupted" and "messages" in client.body:
            self.texts_broken_twice += 1
        elif log[-1].type == "error":
            self.failures.append(f"{client.reply_id} {last['type']} {last.get('stage')}: {last['detail']}")
        self.texts_resumed += last.get("usage", {}).get("resumed", 0)
        told = {event.id: event for event in client.events}
        self.events_duplicated += len(client.events) - len(told)
        # One that another client hears otherwise is lost too.
        self.events_lost += sum(told.get(event.id) != event for event in log)
        self.events_lost += abs(log[-1].id - len(log))

    def take_text(self, log: Sequence[Told], expected: str) -> None:
        """A text that went on elsewhere reads as if it had not broken off, and is spoken whole."""
        deltas = "".join(event.data["delta"] for event in log if event.type == "text_delta")
        spoken = " ".join(event.data["text"] for event in log if event.type == "utterance")
        if log[-1].type == "done":
            self.texts_garbled += deltas != expected or spoken != expected

    def take_media(self, client: Heard, made: Mapping[str, bytes], undisturbed: Mapping[str, bytes]) -> None:
        """Every file is the same, byte for byte."""
        names = made.keys() | undisturbed.keys()
        if differing := sorted(name for name in names if made.get(name) != undisturbed.get(name)):
            self.media_that_differ += 1
            self.failures.append(f"{client.reply_id} differs in {', '.join(differing)}")

    def take_remains(self, held: Mapping[str, int]) -> None:
        """Of replies that have ended nothing is held any more."""
        self.left_behind = sum(held.values())
        self.failures += [f"{name} left behind: {count}" for name, count in held.items()]

    @property
    def good(self) -> bool:
        """Nothing that a client could notice."""
        broken = (
            self.events_lost
            + self.events_duplicated
            + self.texts_asked_again_after_text_ok
            + self.media_that_differ
            + self.texts_garbled
            + self.left_behind
        )
        ended = self.completed + self.texts_broken_twice
        return self.with_one_terminal_event == ended == self.replies and not broken

    def __str__(self) -> str:
        counts = {name: value for name, value in asdict(self).items() if name != "failures"}
        lines = [f"{name.replace('_', ' '):32} {value:g}" for name, value in counts.items()]
        return "\n".join(lines + self.failures)
