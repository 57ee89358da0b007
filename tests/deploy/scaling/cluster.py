"""A folder and a Valkey go in, a cluster of real processes comes out: its video workers follow tickets."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import redis

from tests.deploy.rendering import DEPLOY
from tests.deploy.scaling.scaler import Scaler
from tests.deploy.scaling.workers import Workers
from tests.deploy.scaling.zone import answering
from tests.e2e.stack import Stack
from tests.fakes.ports import free_port

SCALED_OBJECT = DEPLOY / "components" / "keda" / "scaled-object.yaml"
_LOOK_SECONDS = 0.1


@dataclass(frozen=True)
class Sighting:
    """What was seen at one moment: open tickets, workers that should run, workers that are ready."""

    at: float
    tickets: int
    wanted: int
    ready: int


@dataclass
class Cluster:
    """Gateway, text and speech run all the time, video workers as the scaler says, or `fixed` of them."""

    stack: Stack
    workers: Workers
    scaler: Scaler
    valkey: redis.Redis
    fixed: int | None = None
    seen: list[Sighting] = field(default_factory=list)
    error: Exception | None = None
    changed: threading.Condition = field(default_factory=threading.Condition)
    _ending: threading.Event = field(default_factory=threading.Event)

    def steer(self) -> None:
        """Obeys the scaler until the end."""
        next_poll, wanted = 0.0, 0
        try:
            while not self._ending.wait(_LOOK_SECONDS):
                now = time.monotonic()
                tickets = int(self.valkey.xlen(self.scaler.stream))
                if now >= next_poll:
                    next_poll = now + self.scaler.polling
                    wanted = self.scaler.replicas(tickets, now) if self.fixed is None else self.fixed
                    self.workers.scale(wanted)
                self.workers.look()
                with self.changed:
                    self.seen.append(Sighting(now, tickets, wanted, len(self.workers.zone.addresses)))
                    self.changed.notify_all()
        except Exception as error:
            with self.changed:
                self.error = error
                self.changed.notify_all()

    def wait_for_workers(self, number: int, seconds: float = 120) -> None:
        """Returns once so many are ready and no other is still running."""

        def so_many() -> bool:
            settled = len(self.workers.running) == number and not self.workers.draining
            return self.error is not None or (settled and bool(self.seen) and self.seen[-1].ready == number)

        with self.changed:
            assert self.changed.wait_for(so_many, seconds), self.seen[-1:]
        if self.error is not None:
            raise self.error

    def end(self) -> None:
        """Ends the steering, then all workers."""
        self._ending.set()


@contextmanager
def cluster(
    folder: Path,
    valkey_url: str,
    scaler: Scaler,
    *,
    module: str = "services.lipsync",
    fixed: int | None = None,
    worker_settings: dict[str, str] | None = None,
    metrics_ports: Sequence[int] = (),
    **gateway_settings: str,
) -> Iterator[Cluster]:
    """Serves until the block ends."""
    with answering() as zone, redis.Redis.from_url(valkey_url) as valkey:
        workers = Workers(zone, free_port(), folder, module, worker_settings or {}, metrics_ports)
        settings = {
            "GATEWAY_VALKEY_URL": valkey_url,
            "GATEWAY_LIPSYNC_TARGET": f"{zone.target}:{workers.port}",
            "GATEWAY_SLEEPING_STAGES": '["video"]',
            "GATEWAY_PATIENCE_SECONDS": "120",
        } | gateway_settings
        made = Cluster(Stack(folder, **settings), workers, scaler, valkey, fixed)
        steering = threading.Thread(target=made.steer)
        try:
            steering.start()
            made.stack.start_all(("text", "tts", "gateway"))
            yield made
        finally:
            made.end()
            steering.join()
            workers.stop()
            made.stack.stop()
