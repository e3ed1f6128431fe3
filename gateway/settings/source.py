"""YAML text as plain data that remembers where each key stood.

Scalars are read by YAML 1.2's core schema with exact numbers: `on` is a word, `0010` stays a text (it is an
operation, not eight), a number with a point is a Decimal, a timestamp stays a text. The event stream is read
instead of composed nodes, because libyaml's composer recurses in C and a deeply nested file would kill the process.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml

from gateway.settings.fault import Fault, Faults, Step, dotted

_LOADER = getattr(yaml, "CBaseLoader", yaml.BaseLoader)  # libyaml is several times faster, where it was built in
_DEEPEST = 40
_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]{0,30})")
_DECIMAL = re.compile(r"[-+]?(0|[1-9][0-9]{0,30})?\.[0-9]{1,60}([eE][-+]?[0-9]{1,2})?")
_WORDS = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}


@dataclass(frozen=True, slots=True)
class Source:
    """One file: its `data`, and (line, column), from 1, of each key and list entry by its path."""

    file: str
    data: Any
    places: Mapping[tuple[Step, ...], tuple[int, int]]

    def known(self, path: tuple[Step, ...]) -> tuple[Step, ...]:
        """Return `path` without the steps that stand nowhere in the file (a missing key, a validator's name)."""
        found: tuple[Step, ...] = ()
        for step in path:
            if (*found, step) in self.places:
                found = (*found, step)
        return found

    def fault(self, path: tuple[Step, ...], message: str, *, missing: str = "") -> Fault:
        """Return a fault at `path`; `missing` names the key that should stand there."""
        found = self.known(path)
        line, _ = self.places.get(found, (1, 1))
        return Fault(self.file, line, dotted((*found, missing) if missing else found), message)


def read(root: Path, path: Path, faults: Faults) -> Source | None:
    """Return the file as data; None, with the reasons in `faults`, where it can't be read as YAML."""
    file = path.relative_to(root).as_posix()
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        faults.add(Fault(file, 1, "", f"can't be read: {error.strerror}"))
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        faults.add(Fault(file, line, "", f"is not UTF-8: byte 0x{error.object[error.start]:02x}"))
    else:
        return parse(file, text, faults)
    return None


def parse(file: str, text: str, faults: Faults) -> Source | None:
    """Return `text` as data; None, with the reasons in `faults`, where it is no YAML the gateway reads."""
    builder = _Builder()
    try:
        data = builder.document(iter(yaml.parse(text, Loader=_LOADER)))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        message = ", ".join(part for part in (error.context, error.problem) if part)
        builder.faults.append((mark.line + 1 if mark else 1, message))
    except yaml.reader.ReaderError as error:
        line = text[: error.position].count("\n") + 1
        builder.faults.append((line, f"has a character that YAML doesn't allow ({error.reason})"))
    except _UnreadableError as error:
        builder.faults.append((error.line, error.message))
    if builder.faults:
        faults.add(*(Fault(file, line, "", message) for line, message in builder.faults))
        return None
    return Source(file, data, builder.places)


class _UnreadableError(Exception):
    def __init__(self, line: int, message: str) -> None:
        self.line, self.message = line, message


@dataclass(slots=True)
class _Builder:
    """Builds plain data from the events of one document, and collects what stands in the way."""

    places: dict[tuple[Step, ...], tuple[int, int]] = field(default_factory=dict)
    faults: list[tuple[int, str]] = field(default_factory=list)

    def document(self, events: Iterator[yaml.Event]) -> Any:
        data = None
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent) and self.places:
                line, _ = _place(event)
                raise _UnreadableError(line, "a second document begins here; one file holds one document")
            if isinstance(event, yaml.NodeEvent):
                data = self._node(event, events, ())
        return data

    def _node(self, event: yaml.Event, events: Iterator[yaml.Event], path: tuple[Step, ...]) -> Any:
        line, column = _place(event)
        self.places.setdefault(path, (line, column))
        if getattr(event, "anchor", None) or getattr(event, "tag", None):
            self.faults.append((line, "anchors, aliases and tags (& * !) are not read; write the value itself"))
        if len(path) > _DEEPEST:
            raise _UnreadableError(line, "is nested too deeply")
        if isinstance(event, yaml.ScalarEvent):
            return _scalar(event.value) if event.implicit[0] else event.value
        if isinstance(event, yaml.SequenceStartEvent):
            return self._list(events, path)
        return self._mapping(events, path) if isinstance(event, yaml.MappingStartEvent) else None

    def _list(self, events: Iterator[yaml.Event], path: tuple[Step, ...]) -> list[Any]:
        entries: list[Any] = []
        while not isinstance(event := next(events), yaml.SequenceEndEvent):
            entries.append(self._node(event, events, (*path, len(entries))))
        return entries

    def _mapping(self, events: Iterator[yaml.Event], path: tuple[Step, ...]) -> dict[str, Any]:
        entries: dict[str, Any] = {}
        while not isinstance(event := next(events), yaml.MappingEndEvent):
            line, column = _place(event)
            if not isinstance(event, yaml.ScalarEvent):
                raise _UnreadableError(line, "a key has to be a word")
            key: str = event.value
            if key in entries:
                first, _ = self.places[*path, key]
                self.faults.append((line, f"key {key!r} stands twice, first in line {first}"))
            self.places.setdefault((*path, key), (line, column))
            entries[key] = self._node(next(events), events, (*path, key))
        return entries


def _place(event: yaml.Event) -> tuple[int, int]:
    mark = event.start_mark
    return (mark.line + 1, mark.column + 1) if mark else (1, 1)


def _scalar(value: str) -> Any:
    if value in _WORDS:
        return _WORDS[value]
    if _INTEGER.fullmatch(value):
        return int(value)
    return Decimal(value) if _DECIMAL.fullmatch(value) else value
