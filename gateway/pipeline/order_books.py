"""What was booked for an order: read from its postings when it is closed."""

from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

from gateway.backflush.close import FactorOf, Made
from gateway.domain.lot import LotBalance
from gateway.domain.masterdata import MasterData
from gateway.domain.posting import Output, PostingLine
from gateway.domain.quantity import EXACT, ZERO
from gateway.errors import DataError
from gateway.pipeline import mirroring
from gateway.pipeline.mirroring import PostedDocument
from gateway.pipeline.working_copy import WorkingCopy
from gateway.pipeline.writer import Writer


class OrderBooks(NamedTuple):
    """Units made by operation and BOM version, every line (reversals negative), and how its lots convert."""

    made: tuple[Made, ...]
    lines: tuple[PostingLine, ...]
    factor_of: FactorOf


async def read_books(writer: Writer, work: WorkingCopy, order: str) -> OrderBooks:
    """Return what the order's postings say, those of this batch included."""
    found = [mirroring.posted(one) for one in await writer.store.order_postings(order)]
    found += [one for one in map(mirroring.posted, mirroring.of_this_batch(work)) if one.body["order"] == order]
    lines = tuple(line for one in found for line in one.lines)
    keys = sorted({key for line in lines if (key := mirroring.lot_of(line))})
    lots = (await writer.store.balances(keys)).values()
    return OrderBooks(_made(found), lines, _factors(work.model.master, lots))


def _made(found: Iterable[PostedDocument]) -> tuple[Made, ...]:
    sums: defaultdict[tuple[str, str, str], tuple[Decimal, ...]] = defaultdict(lambda: (ZERO, ZERO, ZERO))
    for body in (one.body for one in found if one.body["operation"]):
        output = body["output"]
        key = (body["operation"], body["bom"]["version"], output["uom"])
        counted = (Decimal(output[name]) for name in ("good", "scrap", "rework"))
        sums[key] = tuple(EXACT.add(before, more) for before, more in zip(sums[key], counted, strict=True))
    return tuple(
        Made(operation, version, Output(good, scrap, rework, uom))
        for (operation, version, uom), (good, scrap, rework) in sums.items()
    )


def _factors(master: MasterData, lots: Iterable[LotBalance]) -> FactorOf:
    """Return how a component's unit converts into its stock unit: by the density of its lots where one has it."""
    densities = {one.key.item: one.facts.density for one in lots if one.facts.density}

    def factor_of(item: str, uom: str) -> Fraction:
        try:
            return master.units.factor(item, uom, master.items[item].uom)
        except DataError:
            if item in densities:
                return Fraction(densities[item])
            raise

    return factor_of
