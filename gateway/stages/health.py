"""The stages' channels go in, what each stage is doing comes out: serving, starting, asleep or down."""

from __future__ import annotations

from typing import Literal, TypeAlias

import grpc
from grpc_health.v1 import health_pb2

StageHealth: TypeAlias = Literal["serving", "starting", "asleep", "down"]
_SECONDS = 1.0


async def stage_health(channel: grpc.aio.Channel, *, may_sleep: bool) -> StageHealth:
    """What the stage says of itself; out of reach is asleep where it may sleep, else down."""
    check = channel.unary_unary(
        "/grpc.health.v1.Health/Check",
        request_serializer=health_pb2.HealthCheckRequest.SerializeToString,
        response_deserializer=health_pb2.HealthCheckResponse.FromString,
    )
    try:
        answer = await check(health_pb2.HealthCheckRequest(), timeout=_SECONDS)
    except grpc.aio.AioRpcError:
        return "asleep" if may_sleep else "down"
    return "serving" if answer.status == health_pb2.HealthCheckResponse.SERVING else "starting"
