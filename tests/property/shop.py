"""A line with everything the engine knows, over a store that doesn't wait for the disk; and a ledger beside it."""

import math
from collections import Counter, defaultdict
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

import orjson

from gateway.backflush.explode import explode
from gateway.domain.bom import Activity, Alternate, BillOfMaterial, BomOperation, Method, ScrapBasis, Shortage, Strategy
from gateway.domain.document import Link
from gateway.domain.event import EventKind, SignalId
from gateway.domain.line import Cumulation, Line
from gateway.domain.lot import LotKey, Owner
from gateway.domain.masterdata import MasterData
from gateway.domain.posting import Output
from gateway.domain.quantity import EXACT, Rounding, RoundingMode
from gateway.pipeline.intake import IntakeQueue
from gateway.pipeline.model import LineModel, Point
from gateway.pipeline.pipeline import Pipeline
from gateway.pipeline.writer import Writer
from gateway.store.batch import Batch
from gateway.store.log import PostingLog
from gateway.transport.backoff import Backoff
from tests.factories import make_bom, make_component, make_master, make_order
from tests.property.direct import DirectFaultyStore
from tests.unit.pipeline.office import REASONS, Office
from tests.unit.pipeline.plant import make_rule

ORDERS = ("100045", "100046", "100047")
ZERO = Decimal(0)
UNITS = {  # signal: what its units are, and where they are counted
    SignalId("FILLER-1", "good"): (EventKind.GOOD_UNITS, "0010"),
    SignalId("FILLER-1", "reject"): (EventKind.SCRAP_UNITS, "0010"),
    SignalId("LABELLER-1", "good"): (EventKind.GOOD_UNITS, "0020"),
    SignalId("PACKER-1", "case"): (EventKind.GOOD_UNITS, "0030"),
    SignalId("PACKER-1", "reject"): (EventKind.SCRAP_UNITS, "0030"),
    SignalId("PACKER-1", "rework"): (EventKind.REWORK_UNITS, "0030"),
}
SCANNER = SignalId("SCANNER-1", "issued")
WINDOW = Cumulation(window=timedelta(seconds=60), units=Decimal(60), lot_change=True)
HALVES, UP, DOWN = Rounding(3), Rounding(0, RoundingMode.UP), Rounding(0, RoundingMode.DOWN)
PACKS = Rounding(0, RoundingMode.UP, Decimal(10))


def make_components(*, more: str = "0"):
    """Return a line of each kind, for nine cases of twelve bottles; `more` glue in the later version."""
    glue = str(Decimal(4) + Decimal(more))
    spare = (Alternate("CAP-B", 1), Alternate("CAP-C", 2))
    return (
        make_component("BOTTLE-500", "108", line="0010"),
        make_component("CAP-A", "108", line="0020", setup_scrap=Decimal(3), rounding=UP, alternates=spare),
        make_component("GLUE", glue, line="0030", rounding=UP, allocation=Strategy.FIFO),
        make_component("SYRUP", "7.3", line="0040", component_scrap=Fraction(2, 100), rounding=HALVES,
                       scrap_basis=ScrapBasis.DIVIDE, on_shortage=Shortage.SPLIT, uom="kg"),
        make_component("CLEANER", "5", line="0050", fixed=True, on_shortage=Shortage.SPLIT),
        make_component("LABEL", "108", line="0060", operation="0020", rounding=PACKS, on_shortage=Shortage.SPLIT),
        make_component("INK", "1.7", line="0070", operation="0020", rounding=Rounding(2, RoundingMode.DOWN),
                       alternates=(Alternate("INK-B", 1, Fraction(1, 3)),)),
        make_component("CARTON-12", "9", line="0080", operation="0030", rounding=DOWN, allocation=Strategy.LIFO),
        make_component("FILM", "2.5", line="0090", operation="0030", rounding=Rounding(1)),
        make_component("CARTON-12", "9", line="0100", operation="0030", rework=True, rounding=UP),
        make_component("TAPE", "1", line="0110", operation="0030", method=Method.SCAN),
    )  # fmt: skip


OPERATIONS = (
    BomOperation("0010", "bottle", Fraction(12)),
    BomOperation("0020", "bottle", Fraction(12), defer=timedelta(seconds=30)),
    BomOperation("0030", "EA", receipt=True, activities=(Activity("machine", Decimal("1.7"), "min", Rounding(2)),)),
)


def make_version(version: str, *, more: str = "0") -> BillOfMaterial:
    return make_bom(*make_components(more=more), version=version, base_quantity=Decimal(9), operations=OPERATIONS)


def make_shop() -> MasterData:
    orders = {number: make_order(order=number, active=number == ORDERS[0]) for number in ORDERS}
    facts = {"FILM": {"crumb": Decimal("0.3")}, "GLUE": {"reorder_point": Decimal(20)}}
    return make_master(
        bom=make_version("3"),
        more=(make_version("4", more="1.5"),),
        stocked_in={"SYRUP": "kg"},
        item_facts=facts,
        orders=orders,
        reasons=REASONS,
        lines={"L1": Line("L1")},
        rejects_counted=frozenset({("L1", "0010")}),
    )


HELD = """
SELECT e.device, e.signal, e.kind, e.quantity FROM trigger_log AS t JOIN event AS e ON e.id = t.event_id
WHERE t.exception_id IS NOT NULL AND NOT t.closed
"""
STOCK = {
    "BOTTLE-500": "200",
    "CAP-A": "60",
    "CAP-B": "60",
    "CAP-C": "60",
    "GLUE": "5",
    "SYRUP": "2",
    "CLEANER": "2",
    "LABEL": "20",
    "INK": "1",
    "INK-B": "1",
    "CARTON-12": "20",
    "FILM": "3",
    "TAPE": "20",
}  # at the begin: some of it won't last
ITEMS = tuple(STOCK)


def make_shop_model() -> LineModel:
    rules = [
        make_rule(signal, kind, operation, cumulate=WINDOW if operation == "0010" else None)
        for signal, (kind, operation) in UNITS.items()
    ]
    rules.append(make_rule(SCANNER, EventKind.LOT_ISSUED, "0030"))
    points = {one.signal: Point(one.signal, "L1", rule=one, is_event=True) for one in rules}
    return LineModel(points, make_shop(), {"L1": ORDERS[0]})


class Shop(Office):
    """An office whose every batch, posting and open document goes through a ledger."""

    def __init__(self, path):
        super().__init__(path, make_shop_model())
        self.drivers |= {name: type(self.drivers["PACKER-1"])() for name in ("LABELLER-1", "SCANNER-1")}
        self.ledger = Ledger(self.model.master)

    async def open(self, batch: int = 500, queue: int = 1000) -> None:
        self.store = await DirectFaultyStore.open(self.path, "PLANT1-L1")
        self.store.seen = self.ledger.see
        self.log = await PostingLog.open(self.path)
        writer = await Writer.load(self.store, self.log, self.clock, self.model)
        self.pipeline = Pipeline(writer, IntakeQueue(queue), batch=batch)
        self.pipeline._backoff = Backoff(0.0001, 0.0001)
        for name, driver in self.drivers.items():
            self.pipeline.attach(name, driver)
        await self.pipeline.commands.activate_now(self.model)

    def short_of(self) -> list[str]:
        """Return the items that something waits for."""
        reasons = [one.reason for one in self.state.exceptions.values()]
        return [item for item in ITEMS if any(item in one for one in reasons)]

    async def postings_behind(self, seq: int) -> list[tuple[int, dict]]:
        rows = await self.rows(f"SELECT seq, body FROM posting WHERE seq > {seq} ORDER BY seq")
        return [(number, orjson.loads(body)) for number, body in rows]

    async def held(self) -> Counter:
        """Return the units that wait, by signal."""
        found: Counter = Counter()
        for device, signal, kind, quantity in await self.rows(HELD):
            if kind != EventKind.LOT_ISSUED:
                found[SignalId(device, signal)] += Decimal(quantity)
        return found

    async def bodies(self) -> list[bytes]:
        return [body for (body,) in await self.rows("SELECT body FROM posting ORDER BY seq")]


class Ledger:
    """Reckons by itself what the gateway has to say, from what was made and staged and from its postings."""

    def __init__(self, master: MasterData) -> None:
        self.master = master
        self.made: Counter[SignalId] = Counter()
        self.staged: defaultdict[LotKey, Decimal] = defaultdict(Decimal)
        self.consumed: defaultdict[LotKey, Decimal] = defaultdict(Decimal)
        self.returned: defaultdict[LotKey, Decimal] = defaultdict(Decimal)
        self.output: defaultdict[tuple[str, str], list[Decimal]] = defaultdict(lambda: [ZERO, ZERO, ZERO])
        self.postings: list[dict] = []
        self.drawn = 0  # draws that were recomputed
        self._roundings = dict(_roundings(master))

    def see(self, batch: Batch) -> None:
        """Recompute what each forward trigger of the batch committed: C = max(round(R), C before)."""
        for link in batch.links:
            for draw in link.draws:
                if draw.calculated and (draw.required.numerator > 0 or draw.once.numerator > 0):
                    self._recompute(link, draw)

    def _recompute(self, link: Link, draw) -> None:
        before = draw.before
        required = Fraction(before.numerator, before.denominator) + Fraction(*draw.required) + Fraction(*draw.once)
        after = max(_round(required, self._roundings[draw.key.operation, draw.key.bom_line]), before.committed)

        assert EXACT.subtract(after, before.committed) == draw.due, (link, draw)

        picked = sum((pick.component for pick in draw.picks), draw.backlog)

        assert draw.key.bom_line.startswith("activity:") or picked == draw.due, (link, draw)

        self.drawn += 1

    def read(self, body: dict) -> None:
        """Take a new posting into account."""
        self.postings.append(body)
        add_lines(body["lines"], self.consumed, self.returned)
        made = self.output[body["order"], body["operation"]]
        for index, name in enumerate(("good", "scrap", "rework")):
            made[index] += Decimal(body["output"][name])

    def with_open(self, documents) -> tuple[dict, dict, dict]:
        """Return what was consumed and returned by lot and made by operation, open documents included."""
        consumed, returned = self.consumed.copy(), self.returned.copy()
        made: defaultdict[tuple[str, str], list[Decimal]] = defaultdict(lambda: [ZERO, ZERO, ZERO])
        made.update({key: list(values) for key, values in self.output.items()})
        for one in documents:
            for line in one.lines:
                if line.use == "consumed":
                    consumed[LotKey(line.owner, line.item, line.lot, line.location)] += line.quantity
            _sum(made[one.key.order, one.key.operation], one.output)
        return consumed, returned, made


def _sum(made: list[Decimal], output: Output) -> None:
    for index, quantity in enumerate((output.good, output.scrap, output.rework)):
        made[index] += quantity


def add_lines(lines, consumed, returned) -> None:
    """Add the lines of a body to what was consumed and returned by lot."""
    for line in lines:
        if line["use"] in ("consumed", "returned"):
            owner = Owner(line["owner"]["kind"], line["owner"]["name"])
            key = LotKey(owner, line["item"], line["lot"], line["location"])
            (consumed if line["use"] == "consumed" else returned)[key] += Decimal(line["quantity"])


def _roundings(master: MasterData):
    """Yield the rounding of each component and activity, by (operation, BOM line): the versions have the same."""
    order = master.orders[ORDERS[0]]
    for bom in master.boms.values():
        for operation in bom.operations:
            plan = explode(master, order, bom, operation)
            for one in plan.components:
                yield (operation.operation, one.key.bom_line), one.component.rounding
            for one in plan.activities:
                yield (operation.operation, one.key.bom_line), one.activity.rounding


def _round(value: Fraction, rounding: Rounding) -> Decimal:
    """Round by the book, not by the gateway's own function."""
    if rounding.decimals is None and rounding.multiple is None:
        return Decimal(value.numerator) / Decimal(value.denominator)
    step = Fraction(rounding.multiple) if rounding.multiple else Fraction(1, 10**rounding.decimals)
    steps = {RoundingMode.UP: math.ceil, RoundingMode.DOWN: math.floor, RoundingMode.HALF_EVEN: round}
    whole = steps[rounding.mode](value / step) * step
    return Decimal(whole.numerator) / Decimal(whole.denominator)
