"""A ScaledObject and a stream's length go in, how many workers there should be comes out.

As KEDA and the autoscaler say it: KEDA wakes the first worker, and puts the last one to sleep when there was
no work for `cooldownPeriod`; in between it is `ceil(length / streamLength)`, taken down only to the highest
number wanted within the stabilisation window (https://keda.sh/docs/latest/reference/scaledobject-spec/).
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import yaml


@dataclass
class Scaler:
    """Times in seconds."""

    stream: str
    per_worker: int
    least: int
    most: int
    polling: float
    cooldown: float
    stabilisation: float
    _wanted: deque[tuple[float, int]] = field(default_factory=deque)
    _worked_at: float = -math.inf

    @classmethod
    def of(cls, manifest: Path, hurry: float = 1.0) -> Self:
        """What the manifest says, with all its times divided by `hurry`."""
        documents = yaml.safe_load_all(manifest.read_text())
        spec = next(document["spec"] for document in documents if document["kind"] == "ScaledObject")
        trigger = next(each for each in spec["triggers"] if each["type"] == "redis-streams")
        # With a consumer group it would be the pending entries that count.
        assert "consumerGroup" not in trigger["metadata"]
        down = spec["advanced"]["horizontalPodAutoscalerConfig"]["behavior"]["scaleDown"]
        return cls(
            stream=trigger["metadata"]["stream"],
            per_worker=int(trigger["metadata"]["streamLength"]),
            least=spec["minReplicaCount"],
            most=spec["maxReplicaCount"],
            polling=spec["pollingInterval"] / hurry,
            cooldown=spec["cooldownPeriod"] / hurry,
            stabilisation=down["stabilizationWindowSeconds"] / hurry,
        )

    def replicas(self, length: int, now: float) -> int:
        """How many workers there should be."""
        if length:
            self._worked_at = now
        if now - self._worked_at >= self.cooldown:
            self._wanted.clear()
            return self.least
        wanted = min(max(math.ceil(length / self.per_worker), 1), self.most)
        self._wanted.append((now, wanted))
        while self._wanted[0][0] < now - self.stabilisation:
            self._wanted.popleft()
        return max(number for _, number in self._wanted)
