"""What the gateway tells of itself: raised in the work list, closed when it is over."""

from datetime import timedelta

from gateway.domain.command import ClearAlarm, RaiseAlarm
from gateway.domain.exception import ExceptionKind
from gateway.domain.quantity import ZERO
from gateway.domain.signature import Author
from gateway.pipeline import work_list
from gateway.pipeline.commands.desk import Desk, Handlers


async def raise_alarm(desk: Desk, command: RaiseAlarm, author: Author) -> int:
    """Enter the alarm, and return the entry's number; where it is told already, nothing is written."""
    work = desk.begin(command, author)
    scope = (command.about, command.code)
    told = work_list.open_for(work, ExceptionKind.ALARM, scope)
    if told is not None:
        return told.id
    entered = work_list.enter(
        work,
        ExceptionKind.ALARM,
        scope,
        code=command.code,
        reason=command.reason,
        quantity=ZERO,
        uom="",
        at=work.now,
    )
    await desk.finish(work)
    return entered.id


async def clear_alarm(desk: Desk, command: ClearAlarm, author: Author) -> bool:
    """Close the alarm, with how long it took; False where none is open."""
    work = desk.begin(command, author)
    told = work_list.open_for(work, ExceptionKind.ALARM, (command.about, command.code))
    if told is None:
        return False
    took = _in_words(work.now - told.opened_at)
    work_list.close(work, told, f"{command.reason}, after {took}", author.person)
    await desk.finish(work)
    return True


def _in_words(time: timedelta) -> str:
    """Return a duration in whole seconds: 0:10:03, or 2 days, 0:10:03."""
    return str(timedelta(seconds=max(0, round(time.total_seconds()))))


HANDLERS: Handlers = {RaiseAlarm: raise_alarm, ClearAlarm: clear_alarm}
