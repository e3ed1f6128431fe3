"""What the gateway's watches tell of it in the work list, each until it is over."""

import logging
from collections.abc import Callable, Collection
from contextlib import suppress

from gateway.domain.command import ClearAlarm, RaiseAlarm
from gateway.domain.exception import ExceptionKind
from gateway.domain.signature import Author
from gateway.errors import StoreError, TransientError
from gateway.pipeline.pipeline import Pipeline

logger = logging.getLogger(__name__)
Alarm = tuple[str, str]  # part and code
Alarms = dict[Alarm, str]  # with the reasons


def told(pipeline: Pipeline, codes: Collection[str]) -> Alarms:
    """Return the open alarms of these codes."""
    every = pipeline.writer.state.exceptions.values()
    ours = [one for one in every if one.kind is ExceptionKind.ALARM and one.code in codes]
    return {one.scope: one.reason for one in ours}


async def tell(
    pipeline: Pipeline, found: Alarms, before: Alarms, logged: set[Alarm], over: Callable[[str], str]
) -> None:
    """Raise what isn't told, clear what is over, and say of its code how; later, where nothing can be carried out.

    `logged` is what the log has of it already, however often it is tried.
    """
    commands, author = pipeline.commands, Author("gateway")
    logged.intersection_update(found)
    with suppress(TransientError, StoreError):
        for (about, code), reason in found.items():
            if (about, code) in before:
                continue
            if (about, code) not in logged:
                logger.warning("%s", reason)
                logged.add((about, code))
            await commands.execute(RaiseAlarm(code, reason, about), author)
        for about, code in before.keys() - found.keys():
            await commands.execute(ClearAlarm(code, over(code), about), author)
