"""What an electronic signature signs, as one hash: it can't be moved to another command or another record."""

from dataclasses import fields, is_dataclass
from decimal import Decimal
from hashlib import sha256
from typing import Any

import orjson

from gateway.domain.command import Command
from gateway.domain.quantity import text

# A dataclass that orjson writes by itself keeps its fields' order.
_SORTED = orjson.OPT_SORT_KEYS | orjson.OPT_UTC_Z | orjson.OPT_PASSTHROUGH_DATACLASS


def record(command: Command, posting: str | None = None) -> str:
    """Return `sha256:…` over the command's canonical JSON and the hash of the posting it is about.

    The JSON is `{"body": …, "command": its class, "posting": …}` with sorted members, decimal strings and RFC 3339
    times, so that anybody can compute it again from the recorded command.
    """
    content = {"command": type(command).__name__, "body": command, "posting": posting}
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
