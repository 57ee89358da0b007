"""The stages' channels go in, what each stage is doing comes out: serving, starting, asleep or down."""

from __future__ import annotations

from typing import Literal, TypeAlias

import grpc
from grpc_health.v1 import health_pb2

StageHealth: TypeAlias = Literal["serving", "starting", "asleep", "down"]
_SECONDS = 1.0


async def stage_health(channel: grpc.aio.Channel, *, may_sleep: bool) -> StageHealth:
    """What the stage says of itself, down where it is out of reach.

    One that may sleep is not asked, for that might wake it: without a connection it is thought to be asleep.
    """
    if may_sleep:
        connected = channel.get_state(try_to_connect=True) is grpc.ChannelConnectivity.READY
        return "serving" if connected else "asleep"
    check = channel.unary_unary(
        "/grpc.health.v1.Health/Check",
        request_serializer=health_pb2.HealthCheckRequest.SerializeToString,
        response_deserializer=health_pb2.HealthCheckResponse.FromString,
    )
    try:
        answer = await check(health_pb2.HealthCheckRequest(), timeout=_SECONDS)
    except grpc.aio.AioRpcError:
        return "down"
    return "serving" if answer.status == health_pb2.HealthCheckResponse.SERVING else "starting"
