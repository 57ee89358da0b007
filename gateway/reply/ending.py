"""How a reply's work came to its end goes in, the terminal event comes out."""

from __future__ import annotations

import asyncio

import structlog
from visavis.rpc.failures import Failure, FailureType
from visavis.rpc.telemetry import trace_id_of

from gateway.problems import problem_of
from gateway.reply.event_log import LogFull
from gateway.reply.events import Done, Event, Problem
from gateway.reply.journal import Journal
from gateway.reply.orders import Order

log = structlog.get_logger()


def terminal_event(
    order: Order, work: asyncio.Task[None], journal: Journal, interruption: Failure | None
) -> Done | Problem:
    """Completed, cancelled by its client, or failed.

    Args:
        order: what was asked for.
        work: is done.
        journal: what was made.
        interruption: why the work was cancelled, where it was not its client who did that.
    """
    failure = interruption if work.cancelled() else failure_of(work.exception())
    if failure is None:
        return journal.done(cancelled=work.cancelled())
    return problem_of(failure, trace_id_of(order.traceparent))


def summary(terminal: Event) -> dict[str, object]:
    """What the log may know of it."""
    return terminal.model_dump(include={"type", "status", "stage", "usage", "timings"}, exclude_none=True)


def failure_of(error: BaseException | None) -> Failure | None:
    """What clients are told of an exception."""
    match error:
        case None:
            return None
        case Failure() as failure:
            return failure
        case LogFull():
            return Failure(FailureType.TOO_LONG, "The reply has more events than are kept.")
        case error:
            # The exception's text may quote what a user wrote: only its kind and place go to the log.
            log.error("reply crashed", error=type(error).__name__, at=_place(error))
            return Failure(FailureType.UNKNOWN, "The gateway failed in a way it did not expect.")


def _place(error: BaseException) -> str:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return "" if trace is None else f"{trace.tb_frame.f_globals.get('__name__', '')}:{trace.tb_lineno}"
