"""How long a recall takes: a case's lots by its SSCC, and a lot's cases, in a store of a million postings.

    .venv/bin/python tests/benchmark/genealogy.py [--postings 1000000] [--questions 300] [--store FILE]

The store is written by the gateway's own rows, without the fsync: twelve bottles a case, filled and capped in counts
of five, every count and every case a document of its own; orders of 2,000 cases; a pallet of bottles, a tank of
beverage, a box of caps, a pallet of cartons and a bag of glue are lots. `--store` keeps the file and uses it again.
"""

import argparse
import asyncio
import random
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import orjson
from rich.console import Console
from rich.progress import track
from rich.table import Table

from gateway.api.views.genealogy import plain
from gateway.domain.bom import BillOfMaterial, BomOperation, Component
from gateway.domain.clock import ClockTrust
from gateway.domain.document import Considered, Draw, Link, Pick, Span
from gateway.domain.event import Event, EventKind, SignalId, Trigger
from gateway.domain.lot import LotBalance, LotFacts, LotKey, LotStatus, Owner
from gateway.domain.material import Item
from gateway.domain.order import Order
from gateway.domain.posting import Output, Posting, PostingLine, PostingType
from gateway.domain.quantity import Rounding
from gateway.domain.requirement import Ratio, Requirement, RequirementKey
from gateway.domain.use import Use
from gateway.formats import canonical, chain
from gateway.settings.snapshot import Content, digest
from gateway.store.batch import Batch, EventRow, Head, PostingRow, Snapshot, SpanHead, TriggerRow
from gateway.store.connection import connect_reader, connect_writer
from gateway.store.genealogy import genealogy
from gateway.store.reading import at_once
from gateway.store.store import Store
from gateway.store.write import write

BEGIN = datetime(2026, 1, 5, 6, tzinfo=UTC)
LINE = Owner("line", "L1")
CASES = 2000  # an order
COUNT = 5  # bottles a count: 20 a second, read every 250 ms
BOTTLE = 10**6  # a bottle's length in spans
NONE = Decimal(0)
COMPONENTS = {  # BOM line: item, operation, quantity a case, unit, a lot's size
    "0010": ("BOTTLE-500", "0010", Decimal(12), "EA", Decimal(2016)),
    "0020": ("BEVERAGE", "0010", Decimal(6), "l", Decimal(12000)),
    "0030": ("CAP-28", "0020", Decimal(12), "EA", Decimal(5000)),
    "0040": ("CARTON-12", "0030", Decimal(1), "EA", Decimal(600)),
    "0050": ("GLUE", "0030", Decimal("0.0025"), "kg", Decimal(20)),
}
SIGNALS = {
    "0010": SignalId("FILLER-1", "good"),
    "0020": SignalId("CAPPER-1", "capped"),
    "0030": SignalId("PACKER-1", "case_sealed"),
}


def content() -> Content:
    """Return the master data of all orders."""
    bill = BillOfMaterial(
        bom="COLA-CASE-12",
        version="3",
        item="COLA-CASE-12",
        base_quantity=Decimal(1),
        uom="EA",
        operations=(
            BomOperation("0010", "bottle", Fraction(12)),
            BomOperation("0020", "bottle", Fraction(12)),
            BomOperation("0030", "EA", receipt=True),
        ),
        components=tuple(
            Component(line, item, quantity, uom, operation, rounding=Rounding(4))
            for line, (item, operation, quantity, uom, _) in COMPONENTS.items()
        ),
        approved=True,
    )
    items = tuple(Item(item, uom) for item, _, _, uom, _ in COMPONENTS.values())
    order = Order("100000", "COLA-CASE-12", Decimal(CASES), "EA", "L1", "COLA-CASE-12", "3")
    return Content((*items, Item("COLA-CASE-12", "EA")), (), (bill,), (order,), (), (), {})


def sscc(number: int) -> str:
    """Return a case's number, with its check digit."""
    payload = f"1061414{number:010d}"
    total = sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(payload))
    return f"{payload}{-total % 10}"


@dataclass
class Plant:
    """Makes order after order; everything that is counted posts at once."""

    gateway: str
    store: str
    master_data: str
    head: Head
    batch: Batch = field(default_factory=Batch)
    cases: int = 0
    used: dict[str, Decimal] = field(default_factory=dict)  # by item, of all its lots together
    drawn: dict[RequirementKey, Decimal] = field(default_factory=dict)  # since the order began
    spans: dict[str, int] = field(default_factory=dict)

    def run(self, postings: int) -> Iterator[Batch]:
        """Yield batches until so many postings are made."""
        while self.head.seq < postings:
            order = str(100000 + self.cases // CASES)
            if self.cases % CASES == 0:
                self.spans, self.drawn = dict.fromkeys(SIGNALS, 0), {}
            self._case(order)
            if self.cases % 200 == 0:
                yield self._complete(order)
        yield self._complete(order)

    def _case(self, order: str) -> None:
        self.cases += 1
        due = (self.cases - 1) % CASES + 1
        for operation in ("0010", "0020"):
            while self.spans[operation] < due * 12 * BOTTLE:
                self._count(order, operation, EventKind.GOOD_UNITS, COUNT, COUNT * BOTTLE)
        self._count(order, "0030", EventKind.CASE_SEALED, 1, 12 * BOTTLE, sscc=sscc(self.cases), units=Decimal(12))

    def _count(self, order: str, operation: str, kind: EventKind, count: int, length: int, **more: object) -> None:
        number = self.head.seq + 1
        at = BEGIN + timedelta(milliseconds=110 * number)
        event = Event(SIGNALS[operation], f"e:{number}", kind, Decimal(count), "", at, at, order=order)._replace(**more)
        trigger = Trigger(number, event, f"rule-{operation}", 1, "L1", order, operation)
        lines, draws = self._draw(order, operation, Fraction(count) if operation == "0030" else Fraction(count, 12))
        span = Span(order, operation, self.spans[operation], self.spans[operation] + length, number)
        span = span._replace(sscc=event.sscc, sealed_at=at if event.sscc else None)
        self.spans[operation] = span.end
        self.batch.events.append(EventRow(number, event, "COUNT"))
        self.batch.triggers.append(TriggerRow(number, number, trigger, number, None))
        self.batch.spans.append(span)
        parts = tuple((line, one.quantity) for line, one in enumerate(lines))
        self.batch.links.append(Link(number, number, event.quantity, parts, draws))
        self._post(trigger, lines, (span.start, span.end), at)

    def _draw(self, order: str, operation: str, cases: Fraction) -> tuple[tuple[PostingLine, ...], tuple[Draw, ...]]:
        lines: list[PostingLine] = []
        draws: list[Draw] = []
        if operation == "0030":
            lines.append(PostingLine(Use.PRODUCED, "COLA-CASE-12", Decimal(1), "EA", f"C-{order}", "L1-OUT"))
        for line, (item, where, quantity, uom, size) in COMPONENTS.items():
            if where != operation:
                continue
            need = Fraction(quantity) * cases
            due = Decimal(need.numerator) / Decimal(need.denominator)
            key = RequirementKey(order, operation, line, uom)
            before = self.drawn.get(key, NONE)
            self.drawn[key] = before + due
            picks, considered = [], []
            for lot, taken in self._lots(item, size, due):
                picks.append(Pick(len(lines), taken, taken))
                considered.append(Considered(lot, size, taken, "first expiry"))
                lines.append(
                    PostingLine(Use.CONSUMED, item, taken, uom, lot.lot, lot.location, line, "backflush", LINE)
                )
            required = Requirement(*before.as_integer_ratio(), before), Ratio(*need.as_integer_ratio()), Ratio(0, 1)
            draws.append(Draw(key, item, *required, due, NONE, tuple(picks), tuple(considered)))
        return tuple(lines), tuple(draws)

    def _lots(self, item: str, size: Decimal, due: Decimal) -> Iterator[tuple[LotKey, Decimal]]:
        while due:
            used = self.used.get(item, NONE)
            number = int(used // size)
            taken = min(due, (number + 1) * size - used)
            key = LotKey(LINE, item, f"{item}-{number:06d}", "L1-BIN")
            self.used[item] = used + taken
            supplier = LotFacts(supplier=f"SUPPLIER-{number % 3}")
            balance = LotBalance(key, "EA", BEGIN, None, LotStatus.UNRESTRICTED, size, used + taken - number * size)
            self.batch.lots[key] = balance._replace(facts=supplier)
            yield key, taken
            due -= taken

    def _post(self, trigger: Trigger, lines: tuple[PostingLine, ...], reach: tuple[int, int], at: datetime) -> None:
        seq = self.head.seq + 1
        packed = trigger.operation == "0030"
        posting = Posting(
            PostingType.ASSEMBLY if packed else PostingType.COMPONENT,
            trigger.order,
            trigger.operation,
            "COLA-CASE-12",
            f"C-{trigger.order}",
            Output(trigger.event.quantity, NONE, NONE, "EA" if packed else "bottle"),
            lines,
            (trigger,),
            "COLA-CASE-12",
            "3",
            self.master_data,
        )
        place = canonical.Place(self.gateway, self.store, at, ClockTrust("kernel", 4))
        body, sealed = chain.seal(canonical.posting(posting, seq, seq, place), self.head.hash)
        self.batch.postings.append(PostingRow(seq, seq, posting, at, body, seq, reach=(reach,) * len(lines)))
        self.head = Head(seq, sealed, seq)

    def _complete(self, order: str) -> Batch:
        batch, self.batch = self.batch, Batch()
        batch.span_heads = {(order, operation): SpanHead(reached) for operation, reached in self.spans.items()}
        batch.head = self.head
        return batch


async def build(path: Path, postings: int) -> None:
    """Write the store; the schema is the gateway's own."""
    store = await Store.open(path, "BENCH")
    head = (await store.load()).head
    await store.close()
    encoded = content().encoded()
    plant = Plant("BENCH", store.store, digest(encoded), head)
    with closing(connect_writer(path)) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("BEGIN")
        write(connection, Batch(snapshots=[Snapshot(plant.master_data, encoded, BEGIN)]))
        for number, batch in enumerate(track(plant.run(postings), total=postings // 1160, description="writing")):
            write(connection, batch)
            if number % 10 == 9:
                connection.execute("COMMIT")
                connection.execute("BEGIN")
        connection.execute("COMMIT")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def measure(path: Path, questions: list[dict[str, str]]) -> tuple[list[float], int]:
    """Return the seconds of each question, its answer as JSON included, and the most cases of an answer."""
    seconds, most = [], 0
    with closing(connect_reader(path)) as connection:
        for question in questions:
            begun = time.perf_counter()
            answer = at_once(connection, lambda raw, question=question: genealogy(raw, **question))
            orjson.dumps(answer, default=plain)
            seconds.append(time.perf_counter() - begun)
            if not (answer.cases or answer.lots):  # that would be quick
                raise SystemExit(f"nothing found for {question}")
            lots = [one for lot in answer.lots for order in lot.orders for one in order.finished_lots]
            most = max(most, len(answer.cases), sum(len(one.cases) for one in lots))
    return seconds, most


def questions(connection: sqlite3.Connection, count: int) -> dict[str, list[dict[str, str]]]:
    """Return questions from all over the store, at random but always the same."""
    pick = random.Random(7)
    cases = connection.execute("SELECT count(*) FROM event WHERE sscc IS NOT NULL").fetchone()[0]
    asked = {"a case by its SSCC": [{"sscc": sscc(pick.randrange(1, cases + 1))} for _ in range(count)]}
    for item, *_ in COMPONENTS.values():
        lots = [lot for (lot,) in connection.execute("SELECT lot FROM lot_balance WHERE item = ?", (item,))]
        asked[f"a lot of {item}"] = [{"lot": pick.choice(lots), "item": item} for _ in range(count)]
    return asked


def report(path: Path, count: int) -> Table:
    """Return the times of every kind of question."""
    with closing(connect_reader(path)) as connection:
        postings = connection.execute("SELECT max(seq) FROM posting").fetchone()[0]
        asked = questions(connection, count)
    table = Table(title=f"{postings:,} postings, {path.stat().st_size / 1e9:.1f} GB; target < 50 ms")
    for column in ("question", "most cases", "median ms", "p95 ms", "max ms"):
        table.add_column(column, justify="right")
    for name, some in asked.items():
        seconds, most = measure(path, some)
        p95 = statistics.quantiles(seconds, n=20)[-1]
        shown = (f"{1000 * one:.1f}" for one in (statistics.median(seconds), p95, max(seconds)))
        table.add_row(name, f"{most:,}", *shown)
    return table


def main(postings: int, count: int, kept: Path | None) -> None:
    """Build the store where there is none, ask, report."""
    with tempfile.TemporaryDirectory() as folder:
        path = kept or Path(folder) / "genealogy.db"
        if not path.exists():
            asyncio.run(build(path, postings))
        Console().print(report(path, count))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--postings", type=int, default=1_000_000)
    parser.add_argument("--questions", type=int, default=300, help="of each kind")
    parser.add_argument("--store", type=Path, help="where the store is kept; default: a temporary folder")
    options = parser.parse_args()
    main(options.postings, options.questions, options.store)
