"""Do the rows say what was chained and hashed? The work list, signed baselines, the master data's snapshots."""

import sqlite3
from collections.abc import Iterator
from typing import Any

import orjson

from gateway.settings.snapshot import is_changed
from gateway.store.findings import Check, Findings
from gateway.store.verification.entries import Entry

_EXCEPTION = (
    "about",
    "code",
    "reason",
    "scope",
    "quantity",
    "uom",
    "count",
    "detail",
    "closed_at",
    "close_reason",
    "closed_by",
    "owner",
)
_EXCEPTIONS = """
SELECT wanted.value, x.kind, x.code, x.reason, json_array(x.scope_1, x.scope_2), x.quantity, x.uom, x.count, x.detail,
    x.closed_at, x.close_reason, x.closed_by, x.owner
FROM json_each(?) AS wanted LEFT JOIN main.exception AS x ON x.id = wanted.value
"""
_BASELINE = ("device", "signal", "value", "epoch", "at", "person")
_BASELINES = "SELECT device, signal, value, epoch, at, signed_by FROM main.baseline WHERE signed_by <> ''"
_SNAPSHOTS = "SELECT hash, body FROM main.snapshot"


class RecordInspector:
    """What the journal said last of an exception, and of a baseline that somebody signed, is what its row says."""

    name = "records"

    def __init__(self, connection: sqlite3.Connection, *, every: bool) -> None:
        """`every`: all that was ever chained passes, so that what has no entry is none."""
        self._findings = Findings(self.name)
        self._connection = connection
        self._every = every
        self._exceptions: dict[int, int] = {}  # hashes: of a year's work list the texts would be too many
        self._baselines: dict[tuple[str, str], tuple[Any, ...]] = {}

    def take(self, entry: Entry) -> None:
        """Keep what the entry says."""
        said = entry.content
        if entry.kind == "exception":
            one = {**said, "scope": orjson.dumps(said["scope"]).decode(), "owner": said.get("owner", "")}
            self._exceptions[said["exception"]] = hash(tuple(one[name] for name in _EXCEPTION))
        elif entry.kind == "baseline":
            self._baselines[said["device"], said["signal"]] = tuple(said[name] for name in _BASELINE)

    def finish(self) -> Check:
        """Compare with the rows."""
        wanted = orjson.dumps(list(self._exceptions)).decode()
        for number, *row in self._connection.execute(_EXCEPTIONS, (wanted,)):
            if hash(tuple(row)) != self._exceptions[number]:
                self._findings.add(f"exception {number} is not what the journal said of it last")
        for fault in self._signed():
            self._findings.add(fault)
        return self._findings.check(f"{len(self._exceptions)} exceptions, {len(self._baselines)} baselines")

    def _signed(self) -> Iterator[str]:
        said = dict(self._baselines)
        for row in self._connection.execute(_BASELINES):
            entry = said.pop(row[:2], None if self._every else row)
            if entry is None:
                yield f"{row[0]}.{row[1]}: baseline {row[2]} is signed by {row[5]}, and no entry says so"
            elif entry != row:
                name = f"{row[0]}.{row[1]}: baseline {row[2]} of {row[5]}"
                yield f"{name} is not the one that was signed: {entry[2]}, by {entry[5]}"
        for device, signal in said:
            yield f"{device}.{signal}: its baseline was signed, and isn't any more"


def snapshots(connection: sqlite3.Connection) -> Check:
    """Check that each snapshot of master data is what its hash names."""
    findings, count = Findings("master data"), 0
    for name, body in connection.execute(_SNAPSHOTS):
        count += 1
        if is_changed(name, bytes(body)):
            findings.add(f"the snapshot {name} was changed: its hash is another")
    return findings.check(f"{count} snapshots")
