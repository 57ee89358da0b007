"""What replies are made with: the stages, the stores, the ledger, and what was learned from earlier ones."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.media.store import MediaStore
from gateway.reply.claims import Claims
from gateway.reply.estimates import Estimates
from gateway.reply.event_log import EventLog
from gateway.reply.ledger import Ledger
from gateway.reply.register import Register
from gateway.reply.room import Room
from gateway.settings import GatewaySettings
from gateway.stages.sleeping import Sleepers
from gateway.stages.speech import SpeechStage
from gateway.stages.text import TextStage
from gateway.stages.tickets import Tickets
from gateway.stages.video import VideoStage


@dataclass(frozen=True, slots=True)
class Workshop:
    """The same for all replies of this process."""

    settings: GatewaySettings
    log: EventLog
    media: MediaStore
    text: TextStage
    speech: SpeechStage
    video: VideoStage
    estimates: Estimates
    register: Register
    ledger: Ledger
    room: Room
    claims: Claims
    tickets: Tickets
    sleepers: Sleepers
