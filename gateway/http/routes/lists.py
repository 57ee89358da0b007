"""What can be asked for: models, voices and networks; and what a conversation costs before it is sent."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel

from gateway.http.bodies import tokens_body
from gateway.http.request_bodies import TOKENS_BODY
from gateway.http.state import Gateway, gateway_of
from gateway.requests import TokensRequest
from gateway.stages.call import Call
from gateway.tracing import current_traceparent

router = APIRouter(prefix="/v1", tags=["lists"])
_COUNTING_SECONDS = 10.0


class ProviderItem(BaseModel):
    """Where the work is done; embedded: on the operator's own machines."""

    name: str
    embedded: bool


class ModelItem(BaseModel):
    """A language model."""

    id: str
    provider: ProviderItem
    context_tokens: int
    default: bool


class VoiceItem(BaseModel):
    """A voice and the languages it speaks."""

    name: str
    title: str
    languages: list[str]
    gender: str
    provider: ProviderItem
    default: bool


class NetworkItem(BaseModel):
    """A lip-sync network, and the contract of its graphs."""

    name: str
    version: str
    contract: str
    licence: str
    default: bool


class NetworkList(BaseModel):
    """All networks."""

    networks: list[NetworkItem]


class ModelList(BaseModel):
    """All models."""

    models: list[ModelItem]


class VoiceList(BaseModel):
    """All voices."""

    voices: list[VoiceItem]


class Tokens(BaseModel):
    """Tokens of the messages, and tokens the model can read, its answer included (0: unknown)."""

    prompt_tokens: int
    context_tokens: int


@router.get("/models")
async def models(gateway: Annotated[Gateway, Depends(gateway_of)]) -> ModelList:
    """List the models that can answer."""
    return ModelList(
        models=[
            ModelItem(
                id=model.id,
                provider=ProviderItem(name=model.provider, embedded=model.embedded),
                context_tokens=model.context_tokens,
                default=model.default,
            )
            for model in await gateway.catalogue.models()
        ]
    )


@router.get("/voices")
async def voices(gateway: Annotated[Gateway, Depends(gateway_of)]) -> VoiceList:
    """List the voices that can speak."""
    return VoiceList(
        voices=[
            VoiceItem(
                name=voice.name,
                title=voice.title,
                languages=list(voice.languages),
                gender=voice.gender,
                provider=ProviderItem(name=voice.provider, embedded=voice.embedded),
                default=voice.default,
            )
            for voice in await gateway.catalogue.voices()
        ]
    )


@router.get("/networks")
async def networks(gateway: Annotated[Gateway, Depends(gateway_of)]) -> NetworkList:
    """List the networks that can move the lips."""
    listed = await gateway.catalogue.networks()
    return NetworkList(networks=[NetworkItem(**asdict(network)) for network in listed])


@router.post("/tokens", openapi_extra={"requestBody": TOKENS_BODY})
async def tokens(
    gateway: Annotated[Gateway, Depends(gateway_of)], body: Annotated[TokensRequest, Depends(tokens_body)]
) -> Tokens:
    """Count the tokens of a conversation before it is sent."""
    messages = [(message.role, message.content) for message in body.messages]
    call = Call.within(_COUNTING_SECONDS, current_traceparent())
    prompt_tokens, context_tokens = await gateway.text.token_counts(messages, body.model, call)
    return Tokens(prompt_tokens=prompt_tokens, context_tokens=context_tokens)
