"""The work list as a person reads it: entries alike in one line, where there are many; and how each is settled."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import reduce
from typing import Any

import orjson

from gateway.domain.exception import ExceptionKind, ExceptionRecord
from gateway.domain.quantity import EXACT, ZERO, text

ALL = 1_000_000  # entries: all of them
_FEW = 10  # entries alike that are still a line each
_SETTLED = (ExceptionKind.COUNTER, ExceptionKind.GAP)  # what a person says what it was of


def alike(records: Iterable[ExceptionRecord]) -> list[list[ExceptionRecord]]:
    """Return the entries, those of one kind, code, scope and unit together where they are many, in order of the first.

    Closed ones were closed together, too.
    """
    every = list(records)
    times = Counter(map(_likeness, every))
    groups: dict[object, list[ExceptionRecord]] = {}
    for one in every:
        same = _likeness(one)
        groups.setdefault(same if times[same] > _FEW else one.id, []).append(one)
    return list(groups.values())


def numbers(group: Sequence[ExceptionRecord]) -> str:
    """Return an entry's number, or the first and last one of many."""
    known = sorted(one.id for one in group)
    return str(known[0]) if len(known) == 1 else f"{known[0]}-{known[-1]}"


def units(group: Iterable[ExceptionRecord]) -> str:
    """Return what the entries hold together, with the unit of the first."""
    every = list(group)
    held = reduce(EXACT.add, (one.quantity for one in every), ZERO)
    return f"{text(held)} {every[0].uom}".rstrip()


def sentence(group: Sequence[ExceptionRecord]) -> str:
    """Return why the entry is there, how it was closed, and how it is settled; of many, how many they are."""
    first = group[0]
    closed = f" · closed by {first.closed_by}: {first.close_reason}" if first.closed_at else ""
    if len(group) == 1:
        return f"{first.reason}{closed}{way_out(first)}"
    return f"{len(group)} alike (--every lists them), the first: {first.reason}{closed}{_way_out_of_many(first)}"


def way_out(record: ExceptionRecord) -> str:
    """Return how a person settles an open entry, as the end of its sentence; empty where nobody has to."""
    if not _is_settled_by_hand(record):
        return ""
    said = detail(record)
    told = f"gateway settle CONFIG_DIR {record.id} --reason CODE --user NAME"
    if proposal := said.get("proposal"):
        shares = ", ".join(f"{one['quantity']} of {one['order'] or 'the order that ran then'}" for one in proposal)
        return f" → {told} --as-proposed ({shares}), or {_otherwise(record)}"
    if "orders" in said:
        return f" → {told} --part UNITS@ORDER …"
    if not record.quantity:
        return f" → {told} --none, or --units UNITS, whatever it was"
    likely = [one for one in said.get("candidates", ()) if one] or [text(record.quantity)]
    return f" → {told} --units {' or '.join(map(str, likely))}, whatever it was, or --none"


def detail(record: ExceptionRecord) -> Mapping[str, Any]:
    """Return what a settlement needs to know of an entry."""
    said: Mapping[str, Any] = orjson.loads(record.detail) if record.detail else {}
    return said


def _likeness(one: ExceptionRecord) -> tuple[object, ...]:
    return one.kind, one.code, tuple(one.scope), one.uom, one.closed_at, one.closed_by


def _is_settled_by_hand(record: ExceptionRecord) -> bool:
    return record.closed_at is None and record.kind in _SETTLED


def _otherwise(record: ExceptionRecord) -> str:
    return "--part UNITS@ORDER …" if "orders" in detail(record) else "--none where it is booked already"


def _way_out_of_many(first: ExceptionRecord) -> str:
    if not _is_settled_by_hand(first):
        return ""
    device, signal = first.scope
    which = f"--all --code {first.code} --device {device} --signal {signal}"
    what = "--as-proposed or --none" if detail(first).get("proposal") else "--none"
    return f" → gateway settle CONFIG_DIR {which} {what} --reason CODE --user NAME; --ids FIRST-LAST for some of them"
