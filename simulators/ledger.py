"""The ground truth: what each device really made, one JSON-lines file a device and signal.

An entry also carries the counter it led to, so the ledger is the device's retentive memory: a
process killed at any moment comes back with exactly the count it wrote down.
"""

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Entry:
    """One step of a counter: `quantity` in `uom`, and boot, sequence and raw value after it."""

    at: str  # ISO 8601, UTC, milliseconds
    quantity: Decimal
    uom: str
    boot: int
    seq: int
    value: int
    id: str | None = None  # only for units the device names (MQTT)


@dataclass(frozen=True, slots=True)
class Made:
    """All that one device made of one signal."""

    total: Decimal
    uom: str
    ids: tuple[str, ...] = ()


def utc_now() -> str:
    """The time now, as `2026-11-21T10:00:00.870Z`."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Ledger:
    """Appends entries; each is handed to the operating system before `append` returns."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder

    def append(self, device: str, signal: str, entry: Entry) -> None:
        """Write one entry."""
        with self._path(device, signal).open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(entry), default=str) + "\n")

    def last(self, device: str, signal: str) -> Entry | None:
        """The newest entry, or None for a device that never ran here."""
        path = self._path(device, signal)
        entries = _entries(path) if path.exists() else []
        return entries[-1] if entries else None

    def _path(self, device: str, signal: str) -> Path:
        return self._folder / f"{device}.{signal}.jsonl"


def read(folder: Path) -> dict[tuple[str, str], Made]:
    """Total what the ledger in `folder` says was made, by (device, signal)."""
    return {_named(path): _made(entries) for path in sorted(folder.glob("*.jsonl")) if (entries := _entries(path))}


def _named(path: Path) -> tuple[str, str]:
    device, _, signal = path.stem.rpartition(".")
    return device, signal


def _made(entries: list[Entry]) -> Made:
    ids = tuple(entry.id for entry in entries if entry.id is not None)
    return Made(sum((entry.quantity for entry in entries), Decimal(0)), entries[0].uom, ids)


def _entries(path: Path) -> list[Entry]:
    whole = path.read_text("utf-8").split("\n")[:-1]  # behind the last line end somebody may be writing
    rows = (json.loads(line) for line in whole)
    return [Entry(**{**row, "quantity": Decimal(row["quantity"])}) for row in rows]
