"""What was booked for an order: its postings' sums when it is closed."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

from gateway.backflush.close import FactorOf, Made
from gateway.domain.lot import LotBalance, LotKey
from gateway.domain.masterdata import MasterData
from gateway.domain.posting import Output, PostingLine
from gateway.domain.quantity import EXACT, ZERO
from gateway.errors import DataError
from gateway.pipeline import mirroring
from gateway.pipeline.working_copy import WorkingCopy
from gateway.pipeline.writer import Writer
from gateway.store.order_sums import OutputSum


class OrderBooks(NamedTuple):
    """Units made by operation and BOM version, what moved (reversals negative), and how its lots convert."""

    made: tuple[Made, ...]
    lines: tuple[PostingLine, ...]
    factor_of: FactorOf


async def read_books(writer: Writer, work: WorkingCopy, order: str) -> OrderBooks:
    """Return what the order's postings say, those of this batch included."""
    stored = await writer.store.order_sums(order)
    here = [one.posting for one in work.rows.postings if one.posting.order == order]
    outputs = [*stored.outputs, *(OutputSum(one.operation, one.bom_version, one.output) for one in here)]
    lines = (*stored.lines, *(line for one in here for line in one.lines))
    lots = await writer.store.balances(sorted({key for line in lines if (key := mirroring.lot_of(line))}))
    known = tuple(_supplied(one, lots) for one in lines)
    return OrderBooks(_made(outputs), known, _factors(work.model.master, lots.values()))


def _supplied(line: PostingLine, lots: Mapping[LotKey, LotBalance]) -> PostingLine:
    key = mirroring.lot_of(line)
    lot = lots.get(key) if key else None
    return line._replace(supplier=lot.facts.supplier) if lot else line


def _made(outputs: Iterable[OutputSum]) -> tuple[Made, ...]:
    sums: defaultdict[tuple[str, str, str], tuple[Decimal, ...]] = defaultdict(lambda: (ZERO, ZERO, ZERO))
    for operation, version, output in outputs:
        if operation:  # a return or a count is made nowhere
            key = (operation, version, output.uom)
            sums[key] = tuple(map(EXACT.add, sums[key], (output.good, output.scrap, output.rework)))
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
