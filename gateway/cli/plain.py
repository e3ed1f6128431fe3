"""What came from devices, sinks and people, before a terminal gets it: no control characters, no lines of their own."""

import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar

from rich.console import RenderableType
from rich.table import Table

from gateway.formats.plain import escaped

T = TypeVar("T")


class PlainTable(Table):
    """A table whose cells are a stranger's words; a line break stays one within its cell."""

    def add_row(self, *cells: RenderableType | None, **options: Any) -> None:
        """Add a row."""
        super().add_row(*(escaped(one, "\n") if isinstance(one, str) else one for one in cells), **options)


def plain(value: T) -> T:
    """Return the value with all its text, however deep in records, mappings and sequences, fit for a terminal."""
    return _plain(value)  # type: ignore[no-any-return]  # every branch returns what it was given


def plain_json(value: object) -> str:
    """Return JSON for people's eyes, with every character that isn't printable escaped: JSON asks it of a few only."""
    said = json.dumps(value, indent=2, ensure_ascii=False)
    return "".join(one if one.isprintable() or one == "\n" else json.dumps(one)[1:-1] for one in said)


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        return escaped(value)
    if isinstance(value, Mapping):
        return {_plain(name): _plain(one) for name, one in value.items()}
    if isinstance(value, tuple):
        parts = map(_plain, value)
        return type(value)._make(parts) if hasattr(value, "_make") else tuple(parts)
    if isinstance(value, list):
        return [_plain(one) for one in value]
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{one.name: _plain(getattr(value, one.name)) for one in fields(value) if one.init})
    return value
