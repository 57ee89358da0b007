"""A number goes in, so many real lip-sync processes come out, each on a loopback address of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from tests.deploy.scaling.zone import Zone

STOP_SECONDS = 60


@dataclass
class Worker:
    """One process."""

    address: str
    process: subprocess.Popen[bytes]
    ready: bool = False


@dataclass
class Workers:
    """The pods of a Deployment: started and stopped, and named by the zone while they are ready."""

    zone: Zone
    port: int
    folder: Path
    module: str = "services.lipsync"
    settings: dict[str, str] = field(default_factory=dict)
    # Of one worker after the other; without any, none tells its metrics.
    metrics_ports: Sequence[int] = ()
    running: list[Worker] = field(default_factory=list)
    # Told to stop; they finish what they render.
    draining: list[Worker] = field(default_factory=list)
    started: int = 0

    def scale(self, number: int) -> None:
        """Starts or stops as many as are missing or too many."""
        while len(self.running) < number:
            self._start()
        while len(self.running) > number:
            worker = self.running.pop()
            worker.process.send_signal(signal.SIGTERM)
            self.draining.append(worker)
        self._publish()

    def look(self) -> None:
        """Names those that have become ready, and forgets those that have ended."""
        for worker in self.running:
            assert worker.process.poll() is None, self.logs()
            worker.ready = worker.ready or _serving(f"{worker.address}:{self.port}")
        for worker in [worker for worker in self.draining if worker.process.poll() is not None]:
            assert worker.process.returncode == 0, self.logs()
            self.draining.remove(worker)
        self._publish()

    def stop(self) -> None:
        """Ends all."""
        self.scale(0)
        deadline = time.monotonic() + STOP_SECONDS
        for worker in self.draining:
            try:
                worker.process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                worker.process.kill()
                worker.process.wait()

    def logs(self) -> str:
        """Of all workers."""
        return "\n".join(path.read_text(errors="replace") for path in sorted(self.folder.glob("worker*.log")))

    def _start(self) -> None:
        # 127.0.0.1 is everybody's.
        address = f"127.0.0.{10 + self.started}"
        environment = {
            "LIPSYNC_LISTEN": f"{address}:{self.port}",
            # As in the cluster: so that a new worker is found while older ones answer.
            "LIPSYNC_CONNECTION_SECONDS": "1",
        }
        if self.metrics_ports:
            port = self.metrics_ports[self.started % len(self.metrics_ports)]
            environment["LIPSYNC_METRICS_PORT"] = str(port)
        with (self.folder / f"worker{self.started}.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", self.module],
                env=os.environ | self.settings | environment,
                stdout=log,
                stderr=log,
            )
        self.started += 1
        self.running.append(Worker(address, process))

    def _publish(self) -> None:
        self.zone.addresses = tuple(worker.address for worker in self.running if worker.ready)


def _serving(target: str) -> bool:
    with grpc.insecure_channel(target) as channel:
        try:
            stub: Any = health_pb2_grpc.HealthStub(channel)
            answer = stub.Check(health_pb2.HealthCheckRequest(), timeout=0.5)
        except grpc.RpcError:
            return False
    return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)
