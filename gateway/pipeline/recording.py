"""What the engine is told beside the events, as JSON: with the events it is all that a replay needs.

Kinds: `tick` (each unit of work happens at one moment), `command`, `activation`, `gap`, `notice`.
"""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, NamedTuple, get_args

import orjson
from pydantic import TypeAdapter

from gateway.counting.messages import Gap
from gateway.domain.clock import ClockTrust
from gateway.domain.command import Command
from gateway.domain.event import Event, SignalId
from gateway.domain.quantity import text
from gateway.domain.signature import Author
from gateway.formats.canonical import Place

_COMMANDS: dict[str, type] = {one.__name__: one for one in get_args(Command)}


class Given(NamedTuple):
    """A recorded command with its author; `refused` is why it wasn't even tried, empty where it was."""

    command: Command
    author: Author
    refused: str = ""


def dumped(content: Mapping[str, Any]) -> bytes:
    """Return an input's content as JSON."""
    return orjson.dumps(content)


def tick(place: Place) -> dict[str, Any]:
    """Return what the clock said when a unit of work began."""
    clock = place.clock
    why = {"reason": clock.reason} if clock.reason else {}
    return {"at": place.posted_at.isoformat(), "trust": clock.trust, "error_ms": clock.error_ms, **why}


def read_tick(content: Mapping[str, Any]) -> tuple[datetime, ClockTrust]:
    """Return the moment and the clock's trust of a recorded tick."""
    trust = ClockTrust(content["trust"], content["error_ms"], content.get("reason", ""))
    return datetime.fromisoformat(content["at"]), trust


def command(given: Command, author: Author, refused: str = "") -> dict[str, Any]:
    """Return a command as it was given."""
    name = type(given).__name__
    return {
        "command": name,
        "body": _adapter(name).dump_python(given, mode="json"),
        "author": _AUTHOR.dump_python(author, mode="json"),
        "refused": refused,
    }


def read_command(content: Mapping[str, Any]) -> Given:
    """Return a recorded command."""
    name = content["command"]
    body = _adapter(name).validate_python(content["body"])
    return Given(body, _AUTHOR.validate_python(content["author"]), content["refused"])


def gap(event: Event, missing: Gap, *, late: bool) -> dict[str, Any]:
    """Return what a source lost before the event, or what the event is of what was lost before."""
    return {
        "device": event.signal.device,
        "signal": event.signal.signal,
        "uom": event.uom,
        "at": event.source_time.isoformat(),
        "first": missing.first,
        "last": missing.last,
        "quantity": text(missing.quantity),
        "late": late,
    }


def read_gap(content: Mapping[str, Any]) -> tuple[SignalId, str, datetime, Gap]:
    """Return a recorded gap: its signal, unit, time, and what was lost or came late."""
    missing = Gap(content["first"], content["last"], Decimal(content["quantity"]))
    at = datetime.fromisoformat(content["at"])
    return SignalId(content["device"], content["signal"]), content["uom"], at, missing


def notice(signal: SignalId, code: str, reason: str, at: datetime) -> dict[str, Any]:
    """Return what a person should know of a signal."""
    return {"device": signal.device, "signal": signal.signal, "code": code, "reason": reason, "at": at.isoformat()}


@lru_cache(maxsize=64)
def _adapter(name: str) -> TypeAdapter[Any]:
    return TypeAdapter(_COMMANDS[name])


_AUTHOR = TypeAdapter(Author)
