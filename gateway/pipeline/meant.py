"""What a recorded command means where another configuration made other postings and entries of the same events.

The recording says what the command was about: the first event of the document, or the scope of the entry.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from gateway.domain.command import AcceptDeviation, CloseException, CloseWindow, Command, Retry, Reverse
from gateway.domain.event import SignalId
from gateway.domain.exception import ExceptionKind
from gateway.errors import CommandRefused
from gateway.pipeline.writer import Writer

_OF_ENTRIES = (Retry, AcceptDeviation, CloseException)
_OF_DOCUMENTS = (Reverse, CloseWindow)


async def meant(writer: Writer, command: Command, about: Mapping[str, Any]) -> Command:
    """Return the command with the number that its object has here; CommandRefused where there is no such object."""
    if isinstance(command, _OF_ENTRIES) and "exception" in about:
        return replace(command, exception=_entry(writer, about["exception"]))
    if isinstance(command, _OF_DOCUMENTS) and "event" in about:
        device, signal, key = about["event"]
        document, seq = await _document(writer, device, signal, key)
        return replace(command, document=document) if isinstance(command, CloseWindow) else replace(command, seq=seq)
    return command


def _entry(writer: Writer, about: Sequence[str]) -> int:
    kind, *scope, code = about
    same = [
        one for one in writer.state.exceptions.values() if (one.kind, one.scope) == (ExceptionKind(kind), tuple(scope))
    ]
    if not same:
        raise CommandRefused(f"no {kind} exception of {'/'.join(scope)} is open here")
    return next((one.id for one in same if one.code == code), same[0].id)


async def _document(writer: Writer, device: str, signal: str, key: str) -> tuple[int, int]:
    """Return the document that the event's trigger went into, and its seq."""
    document = await writer.store.document_of_event(device, signal, key)
    if document is None:  # it waits, or its signal was left out
        raise CommandRefused(f"{SignalId(device, signal)} {key} has no document here")
    posted = await writer.store.postings_of([document])
    return document, posted[0].seq if posted else 0
