"""A checked body goes in, the id of a reply in the making comes out: the same one for the same key."""

from __future__ import annotations

from gateway.callers import Caller
from gateway.http.bodies import ReplyBody
from gateway.http.state import Gateway
from gateway.problems import RequestRefused
from gateway.reply.orders import Order, new_reply_id
from gateway.reply.repeats import KeyReused, Repeatable
from gateway.requests import check_lengths, check_sources
from gateway.stages.faces import ChosenAvatar
from gateway.tracing import current_traceparent


async def ordered_reply(
    gateway: Gateway, body: ReplyBody, caller: Caller, llm_key: str, idempotency_key: str
) -> tuple[str, bool]:
    """Starts a reply, unless the key's reply is still kept; its id, and whether it was there before.

    Raises Failure; RequestRefused (409) where the key came with another body.
    """

    asked = Repeatable(caller.name, idempotency_key, body.digest()) if idempotency_key else None
    try:
        if asked is not None and (known := await gateway.register.known(asked)) is not None:
            return known, True
        await gateway.rates.count(caller)
        order = await _order(gateway, body, caller, llm_key)
        reply_id = await gateway.running.start(order, asked)
    except KeyReused:
        raise RequestRefused(
            409,
            "idempotency-key-reused",
            "This Idempotency-Key came with another request before. Send a new key with a new request.",
        ) from None
    return reply_id, reply_id != order.reply_id


async def _order(gateway: Gateway, body: ReplyBody, caller: Caller, llm_key: str) -> Order:
    settings = gateway.settings
    uploaded = body.pieces is not None
    check_sources(body.request, uploaded=uploaded)
    check_lengths(body.request, settings.max_messages, settings.max_characters, settings.max_say_characters)
    gateway.running.check_open()
    if not uploaded:
        await gateway.admission.check(body.request, own_key=bool(llm_key))
    await gateway.admission.check_network(body.request)
    avatar = await gateway.portraits.chosen(caller.name, body.request.avatar)
    if avatar is None:
        avatar = ChosenAvatar(await gateway.admission.avatar_id(body.request))
    return Order(
        reply_id=new_reply_id(),
        request=body.request,
        avatar=avatar,
        model=await gateway.admission.model(body.request),
        traceparent=current_traceparent(),
        text_provider=await gateway.admission.text_provider(body.request),
        speech_provider=await gateway.admission.speech_provider(body.request),
        caller=caller,
        caller_key=llm_key,
        pieces=body.pieces,
    )
