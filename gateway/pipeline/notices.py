"""What a person should know although nothing waits: recorded as an input, so that a replay tells it again."""

from dataclasses import replace
from datetime import datetime

from gateway.domain.event import SignalId
from gateway.domain.exception import ExceptionKind, ExceptionRecord
from gateway.domain.quantity import ZERO
from gateway.pipeline import recording, work_list
from gateway.pipeline.working_copy import WorkingCopy

BAD_SSCC = "sscc"
_COUNTED = frozenset({BAD_SSCC})  # a badly set label printer is one entry, not one a case


def tell(work: WorkingCopy, signal: SignalId, code: str, reason: str, at: datetime) -> None:
    """Enter the notice; of some codes the open one of the signal is counted up and says the newest."""
    work.record("notice", recording.notice(signal, code, reason, at))
    for before in _open(work) if code in _COUNTED else ():
        if (before.kind, before.code, before.scope) == (ExceptionKind.NOTICE, code, signal):
            work.exceptions[before.id] = replace(before, count=before.count + 1, reason=reason, last_event=at)
            return
    work_list.enter(work, ExceptionKind.NOTICE, signal, code=code, reason=reason, quantity=ZERO, uom="", at=at)


def _open(work: WorkingCopy) -> list[ExceptionRecord]:
    every = {**work.exceptions.base, **work.exceptions.changed}
    return [one for one in every.values() if one.closed_at is None]
