"""What matters of a reply goes in, its entry comes out; and stores of one gateway go in, where it begins."""

from __future__ import annotations

from datetime import UTC, datetime

from gateway.callers import NOBODY_IN_PARTICULAR, Caller
from gateway.reply.events import Accepted
from gateway.reply.ledger import Account, Reservation
from gateway.reply.register import Entry
from gateway.reply.repeats import Repeatable
from gateway.reply.room import MemoryRoom
from gateway.valkey.claims import ValkeyClaims
from gateway.valkey.connection import Client
from gateway.valkey.event_log import ValkeyEventLog
from gateway.valkey.ledger import ValkeyLedger
from gateway.valkey.reader import StreamReader
from gateway.valkey.register import ValkeyRegister
from gateway.valkey.room import ValkeyRoom


def entry(
    reply_id: str,
    caller: Caller = NOBODY_IN_PARTICULAR,
    *,
    reservation: Reservation | None = None,
    record: str = "",
    asked: Repeatable | None = None,
) -> Entry:
    """Of a reply that costs no tokens unless a reservation says so."""
    nothing = Reservation(reply_id, Account(caller.name), 0, datetime(2026, 11, 20, tzinfo=UTC))
    accepted = Accepted(reply_id=reply_id, outputs=["text"], starts_in_seconds=0, eta_seconds=0)
    return Entry(reply_id, caller, reservation or nothing, accepted, record, asked)


def valkey_register(
    client: Client,
    *,
    claims: ValkeyClaims | None = None,
    log: ValkeyEventLog | None = None,
    room: ValkeyRoom | None = None,
    ledger: ValkeyLedger | None = None,
    keep_seconds: float = 60,
) -> ValkeyRegister:
    """With plenty of everything that is not given; nobody says that its process is alive."""
    reader = StreamReader(client)
    return ValkeyRegister(
        client,
        claims=claims or ValkeyClaims(client, reader, 3600),
        log=log or ValkeyEventLog(client, reader, 1_000, 1_000, 3600),
        room=room or ValkeyRoom(client, MemoryRoom(1_000), 1_000, 600),
        ledger=ledger or ValkeyLedger(client, {}),
        keep_seconds=keep_seconds,
    )
