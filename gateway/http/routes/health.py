"""Whether this process lives, whether it takes replies, and how the stages are."""

from __future__ import annotations

import asyncio
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel
from visavis.rpc.failures import Failure

from gateway.http.state import Gateway, gateway_of
from gateway.reply.event_log import EventLog
from gateway.stages.health import StageHealth, stage_health

_SECONDS = 1.0

router = APIRouter(tags=["health"])


class Readiness(BaseModel):
    """Ready: replies are taken. A stage that is starting or asleep only makes them wait.

    Unready: what all replicas share is out of reach.
    """

    status: Literal["ready", "draining", "unready"]
    stages: dict[str, StageHealth]


@router.get("/healthz")
async def alive() -> dict[str, str]:
    """See whether the process lives."""
    return {"status": "alive"}


@router.get("/readyz", responses={503: {"model": Readiness, "description": "No replies are taken."}})
async def ready(response: Response, gateway: Annotated[Gateway, Depends(gateway_of)]) -> Readiness:
    """See whether replies are taken.

    200 when this gateway takes them, else 503; of each stage whether it is serving, starting, asleep or down.
    """
    asleep = gateway.settings.sleeping_stages
    states = await asyncio.gather(
        *(stage_health(channel, may_sleep=stage in asleep) for stage, channel in gateway.channels.items())
    )
    stages: dict[str, StageHealth] = {
        "gateway": "serving",
        **dict(zip(gateway.channels, states, strict=True)),
    }
    if gateway.settings.valkey_url.get_secret_value():
        stages["valkey"] = await _log_health(gateway.log)
    status: Literal["ready", "draining", "unready"] = "ready"
    if gateway.running.draining:
        status = "draining"
    elif stages.get("valkey") == "down":
        status = "unready"
    if status != "ready":
        response.status_code = 503
    response.headers["Cache-Control"] = "no-store"
    return Readiness(status=status, stages=stages)


async def _log_health(log: EventLog) -> StageHealth:
    try:
        async with asyncio.timeout(_SECONDS):
            await log.check()
    except (Failure, TimeoutError):
        return "down"
    return "serving"
