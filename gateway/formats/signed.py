"""What an electronic signature signs, as one hash: it can't be moved to another command or another record."""

from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from decimal import Decimal
from hashlib import sha256
from typing import Any

import orjson

from gateway.domain.command import Command
from gateway.domain.exception import ExceptionRecord
from gateway.domain.order import Progress
from gateway.domain.quantity import text

# A dataclass that orjson writes by itself keeps its fields' order.
_SORTED = orjson.OPT_SORT_KEYS | orjson.OPT_UTC_Z | orjson.OPT_PASSTHROUGH_DATACLASS
_HELD = ("id", "kind", "scope", "quantity", "uom", "count", "last_event")
_DEVIATION = ("id", "kind", "scope", "code", "reason", "first_event")


def record(command: Command, posting: str | None = None) -> str:
    """Return `sha256:…` over the command's canonical JSON and the hash of the posting it is about.

    The JSON is `{"body": …, "command": its class, "posting": …}` with sorted members, decimal strings and RFC 3339
    times, so that anybody can compute it again from the recorded command.
    """
    return _hash({"command": type(command).__name__, "body": command, "posting": posting})


def held(exception: ExceptionRecord) -> str:
    """Return the hash of what closing an entry without posting, or settling it, covers: how much it holds, of what."""
    return _shown(exception, _HELD)


def deviation(exception: ExceptionRecord) -> str:
    """Return the hash of what accepting an entry's deviation covers; what only joined behind it changes nothing."""
    return _shown(exception, _DEVIATION)


def made(order: str, progress: Mapping[str, Progress]) -> str:
    """Return the hash of what closing an order covers: what its operations have made."""
    return _hash({"order": order, "progress": progress})


def _shown(exception: ExceptionRecord, names: Iterable[str]) -> str:
    # The scope as two names: in memory it may be a SignalId, which would be written as an object.
    return _hash({**{name: getattr(exception, name) for name in names}, "scope": list(exception.scope)})


def _hash(content: Mapping[str, Any]) -> str:
    written = orjson.dumps(content, default=_plain, option=_SORTED)
    return f"sha256:{sha256(written).hexdigest()}"


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return text(value)
    if is_dataclass(value):
        return {one.name: getattr(value, one.name) for one in fields(value)}
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return value._asdict()
    raise TypeError(f"a command can't carry a {type(value).__name__}")
