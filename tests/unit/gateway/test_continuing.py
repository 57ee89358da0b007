"""A model that goes on in the middle of a text says its last word again; the client reads it once."""

from __future__ import annotations

import pytest

from gateway.reply.continuing import Joint, continuation


def joined(text: str, deltas: list[str]) -> str:
    joint = Joint(text)
    return text + "".join([*(joint.feed(delta) for delta in deltas), joint.finish()])


@pytest.mark.parametrize(
    ("text", "deltas", "whole"),
    [
        ("It shi", ["sh", "ines", " at night."], "It shines at night."),
        ("It shines at", ["at", " night."], "It shines at night."),
        ("It shines at ", ["at night."], "It shines at night."),
        ("It shines at", [" night", "."], "It shines at night."),
        ("It shines at", ["night."], "It shines at night."),
        ("It shines", [", at night."], "It shines, at night."),
        ("The moon is a rock. It shines", ["The moon is a rock. It shines", " at night."], "…"),
        ("A rock.", ["rock. It shines."], "A rock. It shines."),
        ("It shines at night.", ["night."], "It shines at night."),
        ("月亮是一块", ["一块", "石头。"], "月亮是一块石头。"),
        ("月亮是一块", ["石头。"], "月亮是一块石头。"),
        ("", ["The moon."], "The moon."),
        ("It shines at", [], "It shines at"),
    ],
)
def test_the_joint_cannot_be_seen(text: str, deltas: list[str], whole: str) -> None:
    assert joined(text, deltas) == whole.replace("…", "The moon is a rock. It shines at night.")


def test_after_the_joint_nothing_is_held_back() -> None:
    joint = Joint("It shines at")
    assert [joint.feed(delta) for delta in ("at", " night", ". At", " at")] == ["", " night", ". At", " at"]


def test_the_model_sees_what_it_has_said() -> None:
    messages = continuation([("user", "The moon?")], "It shi")
    assert [role for role, _ in messages] == ["user", "assistant", "user"]
    assert messages[1] == ("assistant", "It shi")
