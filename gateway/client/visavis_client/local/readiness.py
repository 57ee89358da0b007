"""GET /readyz goes in, the state of every stage comes out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import httpx
from pydantic import BaseModel, ConfigDict, ValidationError


class Readiness(BaseModel):
    """What a gateway says of its stages."""

    model_config = ConfigDict(extra="ignore")

    stages: Mapping[str, Literal["serving", "starting", "asleep", "down"]]

    @property
    def serving(self) -> bool:
        """Whether every stage works at this moment."""
        return all(state == "serving" for state in self.stages.values())


async def read_readiness(http: httpx.AsyncClient) -> Readiness | None:
    """The gateway's readiness, or None while it does not answer."""
    try:
        response = await http.get("/readyz")
        return Readiness.model_validate_json(response.content)
    except (httpx.TransportError, ValidationError):
        return None
