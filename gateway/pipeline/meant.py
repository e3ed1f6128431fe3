"""What a recorded command means where another configuration made other postings and entries of the same events.

The recording says what the command was about: the first event of the document, or the scope of the entry.
"""

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from gateway.domain.command import (
    AcceptDeviation,
    CloseException,
    CloseOrder,
    CloseWindow,
    Command,
    Retry,
    Reverse,
    SettledHold,
    SettleHold,
    SettleHolds,
)
from gateway.domain.event import SignalId
from gateway.domain.exception import ExceptionKind
from gateway.errors import CommandRefused
from gateway.pipeline.writer import Writer

_OF_ENTRIES = (Retry, AcceptDeviation, CloseException, SettleHold)
_SEEN = (AcceptDeviation, CloseException, CloseOrder, SettleHold)


async def meant(writer: Writer, command: Command, about: Mapping[str, Any]) -> Command:
    """Return the command with the number that its object has here; CommandRefused where there is no such object."""
    if isinstance(command, _SEEN):
        command = replace(command, seen="")  # its object needn't be here what it was there
    if isinstance(command, _OF_ENTRIES) and "exception" in about:
        return replace(command, exception=_entry(writer, about["exception"]))
    if isinstance(command, SettleHolds) and "exceptions" in about:
        return replace(command, holds=tuple(_holds(writer, command.holds, about["exceptions"])))
    if isinstance(command, CloseWindow) and "event" in about:
        return replace(command, document=await _document(writer, *about["event"]))
    if isinstance(command, Reverse) and "event" in about:
        return replace(command, seq=await _seq(writer, *about["event"]))
    return command


def _holds(
    writer: Writer, holds: Iterable[SettledHold], abouts: Iterable[Sequence[str] | None]
) -> Iterator[SettledHold]:
    """Yield those that have an entry here, each another one: of entries alike the first is the first again."""
    named: set[int] = set()
    for one, about in zip(holds, abouts, strict=True):
        with suppress(CommandRefused):
            number = one.exception if about is None else _entry(writer, about, named)
            named.add(number)
            yield replace(one, exception=number, seen="")


def _entry(writer: Writer, about: Sequence[str], but: Container[int] = ()) -> int:
    kind, *scope, code = about
    same = [
        one
        for one in writer.state.exceptions.values()
        if (one.kind, one.scope) == (ExceptionKind(kind), tuple(scope)) and one.id not in but
    ]
    if not same:
        raise CommandRefused(f"no {kind} exception of {'/'.join(scope)} is open here")
    return next((one.id for one in same if one.code == code), same[0].id)


async def _document(writer: Writer, device: str, signal: str, key: str) -> int:
    """Return the document that the event's trigger went into."""
    document = await writer.store.document_of_event(device, signal, key)
    if document is None:  # it waits, or its signal was left out
        raise CommandRefused(f"{SignalId(device, signal)} {key} has no document here")
    return document


async def _seq(writer: Writer, device: str, signal: str, key: str) -> int:
    document = await _document(writer, device, signal, key)
    posted = await writer.store.postings_of([document])
    if not posted:
        raise CommandRefused(f"{SignalId(device, signal)} {key} is in document {document}, which is still open here")
    return posted[0].seq
