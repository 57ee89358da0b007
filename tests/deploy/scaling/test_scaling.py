"""The video stage follows its tickets: from zero to several workers and back, and no reply loses anything."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from tests.deploy.scaling.asking import Seen, asked
from tests.deploy.scaling.cluster import SCALED_OBJECT, Cluster, cluster
from tests.deploy.scaling.scaler import Scaler

TEXT = "The moon is our only natural satellite. It always shows us the same face. Its light takes a second."
# Times of the manifest are divided by it.
HURRY = 100


def test_the_first_ticket_wakes_a_worker_and_long_silence_puts_the_last_to_sleep() -> None:
    scaler = Scaler.of(SCALED_OBJECT)
    assert scaler.replicas(0, now=0) == 0
    assert scaler.replicas(1, now=1) == 1
    assert scaler.replicas(0, now=scaler.cooldown) == 1
    assert scaler.replicas(0, now=1 + scaler.cooldown) == 0


def test_workers_follow_the_tickets_up_at_once_and_down_after_a_while() -> None:
    scaler = Scaler.of(SCALED_OBJECT)
    assert scaler.replicas(7, now=0) == 7
    assert scaler.replicas(1_000, now=1) == scaler.most
    assert scaler.replicas(2, now=1 + scaler.stabilisation) == scaler.most
    assert scaler.replicas(2, now=2 + scaler.stabilisation) == 2


@pytest.fixture
def scaled(valkey: str, tmp_path: Path) -> Iterator[Cluster]:
    """At most two workers: the machine has few cores."""
    scaler = replace(Scaler.of(SCALED_OBJECT, HURRY), most=2)
    with cluster(tmp_path, valkey, scaler, GATEWAY_RENDERS_AT_ONCE="2") as made:
        yield made


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_workers_come_and_go_with_the_work(scaled: Cluster) -> None:
    scaled.wait_for_workers(0)
    for seen in asked(scaled.stack.url, [TEXT, TEXT]):
        check_whole(seen)
    scaled.wait_for_workers(0)
    assert scaled.valkey.xlen(scaled.scaler.stream) == 0
    assert max(sighting.ready for sighting in scaled.seen) == 2
    # Those who are told to stop finish what they render; a second time there is nobody again at the start.
    check_whole(asked(scaled.stack.url, [TEXT])[0])


def check_whole(seen: Seen) -> None:
    """One terminal event, and a video without a gap that is as long as the speech."""
    assert [event.type for event in seen.events if event.type in ("done", "error")] == ["done"], seen.events
    fragments = [event for event in seen.events if event.type == "fragment"]
    for one, other in pairwise(fragments):
        assert math.isclose(one.start_seconds + one.duration_seconds, other.start_seconds, abs_tol=1e-6)
    speech = next(event for event in seen.events if event.type == "audio_ok")
    end = fragments[-1].start_seconds + fragments[-1].duration_seconds
    assert math.isclose(end, speech.duration_seconds, abs_tol=1e-6)
