"""The work list by hand: try again, accept a deviation, close without posting."""

from gateway.backflush.outcome import LATE
from gateway.domain.command import AcceptDeviation, CloseException, Retry
from gateway.domain.event import EventKind, SignalId, Trigger
from gateway.domain.exception import ExceptionKind, ExceptionRecord
from gateway.domain.posting import Reason
from gateway.domain.quantity import text
from gateway.domain.signature import Author
from gateway.errors import CommandRefused
from gateway.formats import signed as contents
from gateway.pipeline import backlogs, gaps, posting, work_list
from gateway.pipeline.commands.desk import Desk, Handlers
from gateway.pipeline.commands.signing import refuse_if_changed, signed
from gateway.pipeline.posting import units_held
from gateway.pipeline.reasons import reason_of
from gateway.pipeline.working_copy import WorkingCopy

_OF_SIGNALS = (ExceptionKind.COUNTER, ExceptionKind.GAP)  # what they hold is of the signal they are about


async def retry(desk: Desk, command: Retry, author: Author) -> str:
    """Try again what waits; return what the entry still waits for, empty where it doesn't (or for all of them)."""
    if command.exception is not None:
        opened(desk, command.exception)
    work = desk.begin(command, author)
    work.must_commit = True  # a replay has to try again at the same moment
    await desk.finish(work)
    if command.exception is None:
        return ""  # after each command everything is tried
    await desk.retry(command.exception)
    still = desk.writer.state.exceptions.get(command.exception)
    return still.reason if still else ""


async def accept_deviation(desk: Desk, command: AcceptDeviation, author: Author) -> int:
    """Let the first trigger of the entry post with a lot that came after it, of a backlog all that are owed something.

    Returns how many triggers that are.
    """
    record = opened(desk, command.exception)
    if record.code != LATE:
        raise CommandRefused(f"exception {record.id} waits for something else: {record.reason}")
    refuse_if_changed(command.seen, contents.deviation(record), f"exception {record.id}")
    work = desk.begin(command, author)
    order, triggers = await _late(desk, work, record)
    state = work.order_state(order)
    work.order_states[order] = state._replace(signed_late=state.signed_late | triggers)
    what = {"code": LATE, "triggers": sorted(triggers), "text": record.reason}
    work.add_journal("deviation", {**what, **signed(author)})
    await desk.finish(work)
    return len(triggers)


async def _late(desk: Desk, work: WorkingCopy, record: ExceptionRecord) -> tuple[str, frozenset[int]]:
    """Return the order and the triggers that the deviation holds."""
    if record.kind is ExceptionKind.BACKLOG:
        return record.scope[0], frozenset(one.trigger for one in backlogs.owed(work, record))
    first = posting.attributed(work, (await desk.writer.store.held_triggers(record.id, 1))[0])
    return first.order, frozenset({first.id})


async def close_exception(desk: Desk, command: CloseException, author: Author) -> bool:
    """Close an entry without posting what it holds: its units count as reversed, what is owed isn't any more."""
    record = opened(desk, command.exception)
    reason = reason_of(desk.writer.model.master, command.reason)
    refuse_if_changed(command.seen, contents.held(record), f"exception {record.id}")
    work = desk.begin(command, author)
    if command.first:
        await _dismiss_first(desk, work, record, reason, author)
        await desk.finish(work)
        return True
    if record.kind is ExceptionKind.TRIGGER:
        await _release(desk, work, record)
    elif record.kind is ExceptionKind.BACKLOG:
        backlogs.write_off(work, record)
    elif record.kind in _OF_SIGNALS:
        work.tally(SignalId(*record.scope), record.uom, held=-record.quantity, reversed_=record.quantity)
        if record.kind is ExceptionKind.GAP:
            gaps.decide(work, record, author.person)
    work_list.dismiss(work, record, f"{reason.code}: {reason.text}", author.person)
    held = {"quantity": text(record.quantity), "uom": record.uom, "count": record.count}
    work.add_journal("closed", {"exception": record.id, "reason": reason._asdict(), **held, **signed(author)})
    await desk.finish(work)
    return True


async def _dismiss_first(
    desk: Desk, work: WorkingCopy, record: ExceptionRecord, reason: Reason, author: Author
) -> None:
    """Take the trigger that holds up the others out of the entry; they are tried again afterwards."""
    if record.kind is not ExceptionKind.TRIGGER:
        raise CommandRefused(f"exception {record.id} holds no triggers, so it has no first one", "close it whole")
    trigger = (await desk.writer.store.held_triggers(record.id, 1))[0]
    _let_go(work, trigger)
    work_list.shorten(work, record, units_held(trigger.event), closed=f"{reason.code}: {reason.text}")
    held = {"trigger": trigger.id, "quantity": text(trigger.event.quantity), "uom": trigger.event.uom}
    work.add_journal("closed", {"exception": record.id, "reason": reason._asdict(), **held, **signed(author)})


async def _release(desk: Desk, work: WorkingCopy, record: ExceptionRecord) -> None:
    for trigger in await desk.writer.store.held_triggers(record.id, record.count):
        _let_go(work, trigger)


def _let_go(work: WorkingCopy, trigger: Trigger) -> None:
    work.rows.released.append((trigger.id, None, trigger.order))
    event = trigger.event
    if event.kind is not EventKind.LOT_ISSUED:  # it counts no units
        work.tally(event.signal, event.uom, held=-event.quantity, reversed_=event.quantity)


def opened(desk: Desk, number: int) -> ExceptionRecord:
    """Return the open entry of that number; CommandRefused where there is none."""
    found = desk.writer.state.exceptions.get(number)
    if found is None:
        raise CommandRefused(f"there is no open exception {number}", "`gateway exceptions` lists them")
    return found


HANDLERS: Handlers = {Retry: retry, AcceptDeviation: accept_deviation, CloseException: close_exception}
