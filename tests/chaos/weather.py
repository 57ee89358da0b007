"""How bad it is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Weather:
    """How much is asked for, and what dies: so many events are heard between two deaths, on average."""

    replies: int = 200
    at_once: int = 8
    gateways: int = 3
    workers: int = 2
    gateway_dies_events: float = 120
    worker_dies_events: float = 100
    connections_cut_events: float = 40
    seed: int = 1
