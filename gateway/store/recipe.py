"""What the reads need of a stored master-data snapshot: a bill of material as its orders were made by it."""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from fractions import Fraction
from functools import lru_cache
from math import lcm
from typing import NamedTuple

import orjson

from gateway.domain.bom import BillOfMaterial, Component, Method
from gateway.domain.masterdata import MasterData
from gateway.domain.use import Use
from gateway.domain.versions import bom_of
from gateway.errors import DataError, StoreError
from gateway.settings.snapshot import is_changed, read_snapshot

MILLION = 10**6
_UNTOLD = (Method.SCAN, Method.PICK)  # no trigger of units tells their consumption


class Part(NamedTuple):
    """A component as it is drawn, `path` is `0050/0010` within a phantom.

    `chain` are bill and line of every phantom around it, outermost first, and its own at the end.
    """

    path: str
    component: Component
    chain: tuple[tuple[BillOfMaterial, Component], ...]

    @property
    def operation(self) -> str:
        """The operation that it belongs to: what a phantom contains goes where its line is."""
        return self.chain[0][1].operation


@dataclass(frozen=True, slots=True)
class Recipe:
    """A bill of material of a snapshot."""

    bill: BillOfMaterial
    master: MasterData

    def unit_length(self, number: str) -> Fraction:
        """Return how long a unit of the operation is in spans (millionths of the base unit); zero for a strange one."""
        operation = self.bill.operation(number)
        if operation is None:
            return Fraction(0)
        base = lcm(*(one.per_order_unit.numerator for one in self.bill.operations))
        return base * MILLION / operation.per_order_unit

    def reported_at(self, number: str) -> str:
        """Return the reporting point that consumes what belongs to the operation: itself, or the next one."""
        operation = self.bill.operation(number)
        behind = self.bill.operations[self.bill.operations.index(operation) :] if operation else ()
        return next((one.operation for one in behind if one.reporting_point), number)

    def parts(self, at: datetime) -> list[Part]:
        """Return every component, phantoms exploded as they were effective at that time."""
        return list(self._walk(self.bill, "", (), at))

    def consuming(self, at: datetime) -> tuple[str, ...]:
        """Return the reporting points whose units take something of a component, in the bill's order."""
        found = {
            self.reported_at(one.operation)
            for one in self.parts(at)
            if one.component.use is Use.CONSUMED and one.component.method not in _UNTOLD and not one.component.rework
        }
        return tuple(one.operation for one in self.bill.operations if one.operation in found)

    def mixing(self, at: datetime) -> dict[tuple[str, str], int]:
        """Return how far (spans) a change of lot reaches, by (reporting point, item)."""
        found: dict[tuple[str, str], int] = {}
        for one in self.parts(at):
            point = self.reported_at(one.operation)
            if reach := int(Fraction(one.component.mixing_units) * self.unit_length(point)):
                for item in (one.component.item, *(other.item for other in one.component.alternates)):
                    found[point, item] = reach
        return found

    @property
    def shape(self) -> str:
        """The operations as SQL reads them, by the versions of phantoms that were effective first."""
        at = self.bill.effective_from or datetime.max.replace(tzinfo=UTC)
        consuming, measured = self.consuming(at), self._measured(at)
        return orjson.dumps(
            [
                {
                    "operation": one.operation,
                    "unit": one.unit,
                    "length": str(self.unit_length(one.operation)),
                    "receipt": one.receipt,
                    "consuming": one.operation in consuming,
                    "measured": one.operation in measured,
                }
                for one in self.bill.operations
            ]
        ).decode()

    def _measured(self, at: datetime) -> frozenset[str]:
        weighed = (one for one in self.parts(at) if one.component.method is Method.MEASURED)
        return frozenset(self.reported_at(one.operation) for one in weighed)

    def _walk(
        self, bill: BillOfMaterial, above: str, chain: tuple[tuple[BillOfMaterial, Component], ...], at: datetime
    ) -> Iterator[Part]:
        for one in bill.components:
            path = f"{above}/{one.line}" if above else one.line
            inward = (*chain, (bill, one))
            if not one.phantom:
                yield Part(path, one, inward)
            elif (inner := bom_of(self.master, one.item, at)) and all(inner is not outer for outer, _ in inward):
                yield from self._walk(inner, path, inward, at)


def recipe(connection: sqlite3.Connection, master_data: str, bom: str, version: str) -> Recipe | None:
    """Return the bill from the snapshot of that hash, None where the store has none; StoreError if it's another."""
    found = connection.execute("SELECT body FROM snapshot WHERE hash = ?", (master_data,)).fetchone()
    if found is None:
        return None
    if is_changed(master_data, bytes(found[0])):
        raise StoreError(f"master data {master_data} were changed in the store", "run `gateway verify`")
    return _recipe(_Snapshot(master_data, bytes(found[0])), bom, version)


def bill_shape(master_data: str, body: bytes, bom: str, version: str) -> str | None:
    """Return a bill's operations for SQL: [{operation, unit, length, receipt, consuming, measured}, …] as JSON.

    `length` is a unit's in spans; NULL where the snapshot of that hash and body has no such bill.
    """
    found = _recipe(_Snapshot(master_data, bytes(body)), bom, version)
    return None if found is None else found.shape


@dataclass(frozen=True, slots=True)
class _Snapshot:
    """Known by its hash: a cache that compared bodies would read megabytes to find one."""

    hash: str
    body: bytes = field(compare=False, repr=False)


def _recipe(snapshot: _Snapshot, bom: str, version: str) -> Recipe | None:
    try:
        master = _master(snapshot)
    except DataError:  # another version wrote it: the posting is explained, its formulas aren't
        return None
    bill = master.boms.get((bom, version))
    return None if bill is None else Recipe(bill, master)


@lru_cache(maxsize=4)  # a snapshot never changes, and all orders of a time have the same
def _master(snapshot: _Snapshot) -> MasterData:
    return read_snapshot(snapshot.body)
