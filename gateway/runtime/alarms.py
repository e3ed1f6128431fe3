"""What the gateway's watches tell of it in the work list, each until it is over."""

import logging
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress

from gateway.domain.command import ClearAlarm, RaiseAlarm
from gateway.domain.exception import ExceptionKind, ExceptionRecord
from gateway.domain.signature import Author
from gateway.errors import StoreError, TransientError
from gateway.pipeline.commands.alarms import is_news, says_else
from gateway.pipeline.pipeline import Pipeline

logger = logging.getLogger(__name__)
Alarm = tuple[str, str]  # part and code
Alarms = dict[Alarm, str]  # with the reasons
Told = Mapping[Alarm, ExceptionRecord]


def told(pipeline: Pipeline, codes: Collection[str]) -> Told:
    """Return the open alarms of these codes."""
    every = pipeline.writer.state.exceptions.values()
    ours = [one for one in every if one.kind is ExceptionKind.ALARM and one.code in codes]
    return {one.scope: one for one in ours}


async def tell(pipeline: Pipeline, found: Alarms, before: Told, logged: Alarms, over: Callable[[str], str]) -> None:
    """Raise what is news, clear what is over, and say of its code how; later, where nothing can be carried out.

    `logged` is what the log has of it already, however often it is tried.
    """
    commands, author = pipeline.commands, Author("gateway")
    for gone in logged.keys() - found.keys():
        del logged[gone]
    with suppress(TransientError, StoreError):
        for (about, code), reason in found.items():
            entry = before.get((about, code))
            if entry and not is_news(entry, reason, pipeline.writer.clock.now().wall):
                continue
            if says_else(logged.get((about, code), ""), reason):
                logger.warning("%s", reason)
                logged[about, code] = reason
            await commands.execute(RaiseAlarm(code, reason, about), author)
        for about, code in before.keys() - found.keys():
            await commands.execute(ClearAlarm(code, over(code), about), author)
