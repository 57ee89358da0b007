"""The stages' channels go in, those stages that would have to start before they can serve come out."""

from __future__ import annotations

from collections.abc import Container, Mapping

import grpc


class Sleepers:
    """Stages that are scaled to zero when idle. A stage without a connection is thought to be asleep."""

    def __init__(self, channels: Mapping[str, grpc.aio.Channel], may_sleep: Container[str]) -> None:
        self._channels = {stage: channel for stage, channel in channels.items() if stage in may_sleep}

    def asleep(self) -> frozenset[str]:
        """As things stand; they are connected to meanwhile, which may wake them."""
        return frozenset(
            stage
            for stage, channel in self._channels.items()
            if channel.get_state(try_to_connect=True) is not grpc.ChannelConnectivity.READY
        )
