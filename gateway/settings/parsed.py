"""The configuration between reading and building: each entry with the place it came from.

An entry whose own settings are wrong stays, without its model, so that what refers to it isn't called
unknown on top.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

from gateway.settings.base import Settings
from gateway.settings.bom import BomSettings
from gateway.settings.device import DeviceSettings
from gateway.settings.fault import Fault, Step, hint
from gateway.settings.gateway_file import GatewaySettings
from gateway.settings.masterdata import (
    ItemSettings,
    OrderSettings,
    ReasonSettings,
    StagingSettings,
    UnitSettings,
)
from gateway.settings.source import Source
from gateway.settings.triggers import RuleSettings

M = TypeVar("M", bound=Settings)


@dataclass(frozen=True, slots=True)
class Entry(Generic[M]):
    """A device, a rule, an item …: what it is called, where it stands, and its settings if they are valid."""

    name: str
    source: Source
    path: tuple[Step, ...]
    model: M | None

    def fault(self, *path: Step, message: str) -> Fault:
        """Return a fault at `path` inside this entry."""
        return self.source.fault((*self.path, *path), message)

    @property
    def data(self) -> Any:
        """What the file has here, valid or not."""
        data = self.source.data
        for step in self.path:
            data = data[step]
        return data

    def raw(self, key: str) -> object:
        """Return what the file has under `key`, valid or not; None where it has nothing."""
        return self.data.get(key) if isinstance(self.data, dict) else None

    @property
    def place(self) -> str:
        """`file:line` of the entry."""
        fault = self.source.fault(self.path, "")
        return f"{fault.file}:{fault.line}"


@dataclass(slots=True)
class Parsed:
    """Every entry of every file; `unread` are the kinds of file of which one is missing or is no YAML."""

    unread: frozenset[str]
    root: Path = field(default_factory=Path)
    lines: tuple[str, ...] = ()
    gateway: list[Entry[GatewaySettings]] = field(default_factory=list)
    devices: list[Entry[DeviceSettings]] = field(default_factory=list)
    rules: list[Entry[RuleSettings]] = field(default_factory=list)
    items: list[Entry[ItemSettings]] = field(default_factory=list)
    units: list[Entry[UnitSettings]] = field(default_factory=list)
    boms: list[Entry[BomSettings]] = field(default_factory=list)
    orders: list[Entry[OrderSettings]] = field(default_factory=list)
    stagings: list[Entry[StagingSettings]] = field(default_factory=list)
    reasons: list[Entry[ReasonSettings]] = field(default_factory=list)


def valid(entries: Iterable[Entry[M]]) -> Iterator[tuple[Entry[M], M]]:
    """Yield the entries whose settings are valid, with them."""
    return ((entry, entry.model) for entry in entries if entry.model is not None)


def named(entries: Iterable[Entry[M]]) -> dict[str, Entry[M]]:
    """Return the entries by name; of two of one name the first."""
    found: dict[str, Entry[M]] = {}
    for entry in entries:
        if entry.name:
            found.setdefault(entry.name, entry)
    return found


def bills(parsed: Parsed, order: OrderSettings) -> list[Entry[BomSettings]]:
    """Return the BOM versions that an order may be made by: the pinned one, or all of that name."""
    pinned = order.bom_version
    return [entry for entry in parsed.boms if entry.raw("bom") == order.bom and pinned in (None, entry.raw("version"))]


def twice(what: str, entries: Iterable[Entry[M]], key: str) -> Iterator[Fault]:
    """Yield a fault for each entry whose name another one had before it."""
    entries = list(entries)
    first = named(entries)
    for entry in entries:
        if entry.name and first[entry.name] is not entry:
            yield entry.fault(key, message=f"{what} {entry.name} stands twice, first at {first[entry.name].place}")


def unknown(what: str, name: str, known: Mapping[str, object] | Iterable[str]) -> str:
    """Return the sentence for a reference to something that isn't there."""
    return f"{what} {name!r} is not configured; {hint(name, known)}"
