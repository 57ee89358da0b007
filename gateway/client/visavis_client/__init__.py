"""Typed Python client of Vis-à-vis, and the visavis command."""

from visavis_client.blocking import Client, Reply
from visavis_client.catalogue import Avatar, Model, Network, Provider, Tokens, Voice
from visavis_client.client import AsyncClient, AsyncReply
from visavis_client.cursor import Patience
from visavis_client.errors import NothingMade, Problem, Unreachable, VisavisError
from visavis_client.events import (
    Accepted,
    AudioOk,
    Done,
    Event,
    Fragment,
    Progress,
    TextDelta,
    TextOk,
    Utterance,
    VideoOk,
)
from visavis_client.media import Media
from visavis_client.portrait import AvatarProgress
from visavis_client.request import Message, ReplyOptions

__all__ = [
    "Accepted",
    "AsyncClient",
    "AsyncReply",
    "AudioOk",
    "Avatar",
    "AvatarProgress",
    "Client",
    "Done",
    "Event",
    "Fragment",
    "Media",
    "Message",
    "Model",
    "Network",
    "NothingMade",
    "Patience",
    "Problem",
    "Progress",
    "Provider",
    "Reply",
    "ReplyOptions",
    "TextDelta",
    "TextOk",
    "Tokens",
    "Unreachable",
    "Utterance",
    "VideoOk",
    "VisavisError",
    "Voice",
]
