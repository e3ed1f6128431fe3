"""What the gateway tells of itself: raised in the work list, closed when it is over.

While it lasts its entry says what holds: it is told anew when it says something else, but not for each number.
"""

import re
from dataclasses import replace
from datetime import datetime, timedelta

from gateway.domain.command import ClearAlarm, RaiseAlarm
from gateway.domain.exception import ExceptionKind, ExceptionRecord
from gateway.domain.quantity import ZERO
from gateway.domain.signature import Author
from gateway.pipeline import work_list
from gateway.pipeline.commands.desk import Desk, Handlers

_CALM = timedelta(minutes=10)  # between two wordings: what is on the edge would be told again and again
# A number that stands alone, with its unit where it is a size; not one in a name, an address or a date.
_NUMBER = re.compile(r"(?<![\w.:-])\d+(?:\.\d+)?(?: (?:[KMGT]i)?B)?(?!\.?[\w:-])")


def says_else(told: str, reason: str) -> bool:
    """Tell whether a reason says something else than what was told, or only other numbers."""
    return _NUMBER.sub("0", told) != _NUMBER.sub("0", reason)


def is_news(told: ExceptionRecord, reason: str, now: datetime) -> bool:
    """Tell whether an open alarm is to be told anew."""
    return says_else(told.reason, reason) and not timedelta(0) <= now - told.last_event < _CALM


async def raise_alarm(desk: Desk, command: RaiseAlarm, author: Author) -> int:
    """Enter the alarm, and return the entry's number; where it is told already and no news, nothing is written."""
    work = desk.begin(command, author)
    scope = (command.about, command.code)
    told = work_list.open_for(work, ExceptionKind.ALARM, scope)
    if told is not None:
        if is_news(told, command.reason, work.now):
            work.exceptions[told.id] = replace(told, reason=command.reason, last_event=work.now)
            work.must_commit = True
            await desk.finish(work)
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
