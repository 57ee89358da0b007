"""Settings go in, everything the routes work with comes out: built once, closed once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

import grpc
import structlog
from fastapi.requests import HTTPConnection
from visavis.rpc.channel import open_channel

from gateway.admission import Admission
from gateway.catalogue import Catalogue
from gateway.http.encoding import EncodedEvents
from gateway.http.signing import Signatures
from gateway.http.stores import Stores, opened_stores
from gateway.media.places import media_store, reply_media
from gateway.media.store import MediaStore
from gateway.portraits import Portraits
from gateway.problems import RequestRefused
from gateway.rates import Rates
from gateway.reply.event_log import EventLog, UnknownReply
from gateway.reply.ledger import Ledger
from gateway.reply.register import Register
from gateway.reply.running import RunningReplies
from gateway.reply.taking_over import taking_over
from gateway.reply.workshop import Workshop
from gateway.settings import GatewaySettings
from gateway.stages.sleeping import Sleepers
from gateway.stages.speech import SpeechStage
from gateway.stages.text import TextStage
from gateway.stages.video import VideoStage

log = structlog.get_logger()

MAX_UTTERANCE_SECONDS = 60.0
_SWEEP_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class Gateway:
    """What the routes work with."""

    settings: GatewaySettings
    log: EventLog
    media: MediaStore
    running: RunningReplies
    catalogue: Catalogue
    portraits: Portraits
    admission: Admission
    ledger: Ledger
    register: Register
    rates: Rates
    signatures: Signatures
    text: TextStage
    channels: dict[str, grpc.aio.Channel]
    encoded: EncodedEvents = field(default_factory=EncodedEvents)

    async def check_known(self, reply_id: str) -> None:
        """Raises RequestRefused (404) where no such reply is kept."""
        try:
            await self.log.last(reply_id)
        except UnknownReply:
            raise unknown_reply() from None


def unknown_reply() -> RequestRefused:
    """The answer to an id that is not, or no longer, known."""
    return RequestRefused(404, "not-found", "There is no such reply, or it is no longer kept.")


def gateway_of(request: HTTPConnection) -> Gateway:
    """The gateway that serves this request."""
    gateway: Gateway = request.app.state.gateway
    return gateway


@asynccontextmanager
async def opened(settings: GatewaySettings, signatures: Signatures) -> AsyncIterator[Gateway]:
    """Opens channels and stores; whatever still runs at the end is ended as interrupted."""
    async with AsyncExitStack() as stack:
        targets = {
            "text": settings.text_target,
            "speech": settings.tts_target,
            "video": settings.lipsync_target,
        }
        channels = {stage: open_channel(target, settings) for stage, target in targets.items()}
        for channel in channels.values():
            stack.push_async_callback(channel.close)
        stores = await stack.enter_async_context(opened_stores(settings))
        text = TextStage(channels["text"])
        speech = SpeechStage(channels["speech"], MAX_UTTERANCE_SECONDS)
        video = VideoStage(channels["video"], stores.tickets)
        media = reply_media(settings.data)
        portraits = Portraits(media_store(settings.avatars_place), video)
        workshop = Workshop(
            settings=settings,
            log=stores.log,
            claims=stores.claims,
            media=media,
            text=text,
            speech=speech,
            video=video,
            tickets=stores.tickets,
            estimates=stores.estimates,
            register=stores.register,
            ledger=stores.ledger,
            room=stores.room,
            sleepers=Sleepers(channels, settings.sleeping_stages),
        )
        running = RunningReplies(workshop)
        stack.push_async_callback(running.drain, 0.0)
        await stack.enter_async_context(taking_over(workshop, running, portraits.chosen))
        sweeping = asyncio.create_task(_swept(stores, media, settings))
        stack.callback(sweeping.cancel)
        video_sleeps = "video" in settings.sleeping_stages
        catalogue = Catalogue(
            text, speech, video, stores.tickets if video_sleeps else None, settings.patience_seconds
        )
        stack.push_async_callback(catalogue.close)
        yield Gateway(
            settings=settings,
            log=stores.log,
            media=media,
            running=running,
            catalogue=catalogue,
            portraits=portraits,
            admission=Admission(catalogue, text),
            ledger=stores.ledger,
            register=stores.register,
            rates=stores.rates,
            signatures=signatures,
            text=text,
            channels=channels,
        )


async def _swept(stores: Stores, media: MediaStore, settings: GatewaySettings) -> None:
    """Forgets replies that ended long ago, and what an earlier process left behind."""

    async def ended_replies() -> None:
        for reply_id in await stores.log.remove_older(settings.keep_seconds):
            await media.remove(reply_id)

    async def media_without_replies() -> None:
        # No reply lasts so long that its own media could be this old.
        await media.remove_older(settings.keep_seconds + 24 * 3600)

    async def tickets_of_nobody() -> None:
        # Nor does any piece of its work.
        await stores.tickets.drop_older(settings.reply_seconds + settings.build_seconds)

    while True:
        for sweep in (ended_replies, media_without_replies, tickets_of_nobody):
            try:
                await sweep()
            except Exception as error:
                log.error("not removed", what=sweep.__name__, error=type(error).__name__)  # noqa: TRY400
        await asyncio.sleep(_SWEEP_SECONDS)
