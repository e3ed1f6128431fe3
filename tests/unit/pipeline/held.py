"""A line with two orders and stock whose counters and messages get held, and somebody who settles that."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson

from gateway.counting.counter import GapPolicy
from gateway.domain.command import SettledPart, SettleHold, StartOrder
from gateway.domain.event import SignalId
from gateway.domain.exception import ExceptionKind, ExceptionRecord
from gateway.domain.quantity import text
from gateway.pipeline.model import LineModel
from tests.factories import make_order
from tests.unit.pipeline.office import ANNA, Office
from tests.unit.pipeline.plant import GOOD, make_line_master, make_model

OTHER = "100046"
REASONS = {"COUNT": "counted again at the machine"}


def make_held_model(*, gap: GapPolicy = GapPolicy.POST, reported: bool = True, **changes) -> LineModel:
    """Return the line; `reported`: the filler says which order it works on."""
    orders = {"100045": make_order(), OTHER: make_order(order=OTHER, active=False, finished_lot="C261121-2")}
    model = make_model(make_line_master(reasons=REASONS, orders=orders))
    good = model.points[GOOD]
    good = replace(good, counter=replace(good.counter, gap=gap), order_signal="order" if reported else None)
    return replace(model, points={**model.points, GOOD: good}, **changes)


class HeldPlant(Office):
    """Its ways to get something held, and to settle it."""

    async def begin(self) -> None:
        for number, (item, uom) in enumerate((("BOTTLE-500", "EA"), ("CARTON-12", "EA"), ("DRINK", "kg"))):
            await self.stage(f"S-{number}", "100000", item=item, lot=f"{item}-1", uom=uom)
        self.read(good=100, reject=0)
        await self.turn()

    async def leap(self, value: int = 40_000) -> ExceptionRecord:
        """Let the counter leap: two readings agree on what can't be."""
        for _ in range(3):
            self.read(good=value)
            await self.turn()
        return self.only(ExceptionKind.COUNTER)

    async def lose(self, *, first: int = 1, last: int = 4) -> ExceptionRecord:
        """Let the packer's messages between two others get lost."""
        for number in (first, last):
            await self.send(sequence=number, id=f"case-{number}")
        await self.turn()
        return self.only(ExceptionKind.GAP)

    async def start(self, order: str) -> None:
        await self.ask(StartOrder("L1", order))

    async def settle(self, record: ExceptionRecord, *parts: str | SettledPart, seen: str = "") -> Any:
        """Settle an entry; a part is a quantity, or `quantity@order`."""
        said = tuple(one if isinstance(one, SettledPart) else part(one) for one in parts)
        return await self.ask(SettleHold(record.id, "COUNT", said, seen), ANNA)

    def only(self, kind: ExceptionKind) -> ExceptionRecord:
        (found,) = self.exceptions(kind)
        return found

    def totals(self, signal: SignalId = GOOD) -> tuple[str, ...]:
        """Return counted, posted, scrapped, held and reversed."""
        return tuple(text(one) for one in self.state.tallies[signal][1:])

    async def outputs(self) -> list[tuple[str, str]]:
        """Return the order and the good units of each posting."""
        return await self.rows("SELECT order_no, body ->> '$.output.good' FROM posting ORDER BY seq")

    async def entries(self, kind: str) -> list[dict]:
        return [orjson.loads(one) for (one,) in await self.rows(f"SELECT body FROM journal WHERE kind = '{kind}'")]


def part(said: str) -> SettledPart:
    quantity, _, order = said.partition("@")
    return SettledPart(Decimal(quantity), order)


def detail(record: ExceptionRecord) -> dict:
    return orjson.loads(record.detail)


@asynccontextmanager
async def held_line(folder: Path, model: LineModel | None = None) -> AsyncIterator[HeldPlant]:
    """Open the line; whatever was settled, its store has to be consistent at the end."""
    plant = HeldPlant(folder / "gateway.db", model or make_held_model())
    await plant.open()
    try:
        await plant.begin()
        yield plant
        await plant.check()
    finally:
        await plant.close()
