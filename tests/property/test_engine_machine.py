"""Everything that can happen at a line, in any order: each unit once, each lot whole, and again the same from a record.

Every step is a unit of work of the real pipeline over a real store: counts, stagings, shortages, retries, reversals,
returns, scans, changes of order, closes, failed commits and crashes.
"""

import asyncio
import shutil
import tempfile
from contextlib import suppress
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from hypothesis.stateful import run_state_machine_as_test as run

from gateway.domain.command import (
    CloseException,
    CloseOrder,
    CloseWindow,
    CountLot,
    EditedLine,
    EnterOutput,
    PinBom,
    Residual,
    Retry,
    ReturnLot,
    Reverse,
    SetLotStatus,
    StartOrder,
)
from gateway.domain.lot import LotKey, LotStatus, Owner
from gateway.errors import CommandRefused
from tests.factories import LINE
from tests.property.breaking import break_a_batch, break_behind_a_staging
from tests.property.holding import MADE, each_lot_is_whole, each_unit_is_one_thing, everything_is_as_it_was
from tests.property.replaying import replayed
from tests.property.shop import ITEMS, ORDERS, SCANNER, STOCK, UNITS, ZERO, Shop
from tests.unit.pipeline.office import ANNA

EXAMPLES, STEPS = 115, 60  # for each half of the 10,000 steps: an example may end early
FEW = st.integers(1, 30)
ANY = st.integers(0, 1000)
_FOLDER = Path("/dev/shm") if Path("/dev/shm").is_dir() else None  # a store that nobody keeps needs no disk


class Engine(RuleBasedStateMachine):
    steps = 0
    drawn = 0
    refused = 0
    executed = 0

    def __init__(self):
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.folder = Path(tempfile.mkdtemp(dir=_FOLDER))
        self.shop = Shop(self.folder / "gateway.db")
        self.ids = 0
        self.taken = 0

    def live(self, work):
        return self.loop.run_until_complete(work)

    def id(self) -> str:
        self.ids += 1
        return f"id-{self.ids}"

    def ask(self, command) -> bool:
        """Have a command carried out; what is refused changes nothing, which the invariants see."""
        try:
            self.live(self.shop.ask(command, ANNA))
        except CommandRefused:
            Engine.refused += 1
            return False
        Engine.executed += 1
        return True

    @initialize()
    def begin(self):
        self.live(self.shop.open())
        for item, quantity in STOCK.items():
            self._stage(item, f"{item}-0", LINE, Decimal(quantity))

    # --- what happens ---------------------------------------------------------------------------

    def _stage(self, item, lot, owner, quantity) -> None:
        number, uom = self.id(), "kg" if item == "SYRUP" else "EA"
        key = LotKey(owner, item, lot, "L1-FILL")
        try:
            self.live(self.shop.stage(number, str(quantity), item=item, lot=lot, owner=owner, uom=uom))
        except CommandRefused:
            return  # the lot has another status meanwhile
        self.shop.ledger.staged[key] += quantity

    @rule(item=st.sampled_from(ITEMS), lot=st.integers(0, 2), owner=st.sampled_from((None, *ORDERS)), quantity=FEW)
    def stage(self, item, lot, owner, quantity):
        whose = Owner("order", owner) if owner else LINE
        self._stage(item, f"{item}-{lot}", whose, Decimal(quantity) * 2)

    @rule(
        made=st.lists(st.tuples(st.sampled_from(sorted(UNITS)), FEW), min_size=1, max_size=4), pause=st.integers(0, 9)
    )
    def count(self, made, pause):
        self.shop.clock.advance(pause)
        self.live(self._count(made))

    async def _count(self, made):
        for signal, quantity in made:
            await self.shop.send(signal, quantity=Decimal(quantity), id=self.id())
            self.shop.ledger.made[signal] += quantity
        await self.shop.turn()

    @rule(signal=st.sampled_from(sorted(UNITS)), quantity=FEW)
    def count_one(self, signal, quantity):
        self.live(self._count([(signal, quantity)]))

    @rule(lot=st.integers(0, 2), quantity=FEW, item=st.sampled_from(("TAPE", "TAPE", "GLUE")))
    def issue(self, lot, quantity, item):
        self.live(self._issue(item, f"{item}-{lot}", Decimal(quantity)))

    async def _issue(self, item, lot, quantity):
        await self.shop.send(SCANNER, quantity=quantity, uom="EA", id=self.id(), item=item, lot=lot)
        await self.shop.turn()

    @rule(good=st.integers(0, 9), scrap=st.integers(0, 3), order=st.sampled_from(ORDERS), edited=st.booleans(),
          operation=st.sampled_from(("0010", "0030")))  # fmt: skip
    def enter(self, good, scrap, order, operation, edited):
        line = "0030" if operation == "0010" else "0090"
        lines = (EditedLine(line, Decimal(good) / 4),) if edited else ()
        entry = EnterOutput(self.id(), order, operation, Decimal(good), Decimal(scrap), ZERO, lines)
        if self.ask(entry):
            self.shop.ledger.made["operator", "L1"] += good + scrap

    @rule(which=ANY, units=st.one_of(st.none(), st.integers(1, 12)))
    def reverse(self, which, units):
        posted = [
            one["seq"] for one in self.shop.ledger.postings if one["posting_type"] in MADE and not one["reverses"]
        ]
        if posted:
            self.ask(Reverse(posted[which % len(posted)], "miscount", None if units is None else Decimal(units)))

    @rule(which=ANY, quantity=FEW)
    def give_back(self, which, quantity):
        if lots := sorted(self.shop.state.lots):
            key = lots[which % len(lots)]
            self.ask(ReturnLot(self.id(), key, Decimal(quantity), self.shop.state.lots[key].uom, "surplus"))

    @rule(which=ANY, found=st.integers(-3, 3))
    def recount(self, which, found):
        if lots := sorted(self.shop.state.lots):
            key = lots[which % len(lots)]
            lot = self.shop.state.lots[key]
            self.ask(CountLot(self.id(), key, lot.left + found, lot.uom, "miscount"))

    @rule(item=st.sampled_from(ITEMS), lot=st.integers(0, 2), status=st.sampled_from(LotStatus))
    def set_status(self, item, lot, status):
        self.ask(SetLotStatus(item, f"{item}-{lot}", status, "seen"))

    @rule(order=st.sampled_from(ORDERS))
    def change_order(self, order):
        self.shop.clock.advance(1)
        self.ask(StartOrder("L1", order))

    @rule(order=st.sampled_from(ORDERS), seconds=st.integers(0, 20))
    def pin(self, order, seconds):
        self.ask(PinBom(order, ("3", "4")[seconds % 2], self.shop.clock.now().wall))

    @precondition(lambda self: self.shop.state.exceptions)
    @rule(which=ANY)
    def retry(self, which):
        numbers = sorted(self.shop.state.exceptions)
        self.ask(Retry(numbers[which % len(numbers)]))

    @precondition(lambda self: self.shop.state.exceptions)
    @rule(which=ANY)
    def dismiss(self, which):
        numbers = sorted(self.shop.state.exceptions)
        self.ask(CloseException(numbers[which % len(numbers)], "miscount"))

    @precondition(lambda self: self.shop.state.documents)
    @rule(which=ANY)
    def close_window(self, which):
        numbers = sorted(self.shop.state.documents)
        self.ask(CloseWindow(numbers[which % len(numbers)]))

    @precondition(lambda self: self.shop.ledger.postings)
    @rule(order=st.sampled_from(ORDERS[1:]), residuals=st.sampled_from(Residual), sure=st.integers(0, 3))
    def close_order(self, order, residuals, sure):
        if sure == 0:  # an order that is closed early ends the story
            self.ask(CloseOrder(order, residuals, "surplus"))

    @rule(seconds=st.integers(1, 90))
    def wait(self, seconds):
        self.shop.clock.advance(seconds)
        self.live(self.shop.turn())

    @rule()
    def crash(self):
        self.live(self.shop.crash())

    @rule(too_late=st.booleans(), signal=st.sampled_from(sorted(UNITS)), quantity=FEW)
    def fail(self, too_late, signal, quantity):
        """Break the commit of a batch; the source sends again what wasn't acknowledged."""
        self.live(break_a_batch(self.shop, signal, Decimal(quantity), self.id(), too_late=too_late))

    @precondition(lambda self: self.shop.short_of())
    @rule(which=ANY, too_late=st.booleans())
    def fail_behind(self, which, too_late):
        """Break what a staging releases, behind the commit of the staging itself."""
        short = self.shop.short_of()
        item = short[which % len(short)]
        self.live(break_behind_a_staging(self.shop, item, Decimal(300), self.id(), too_late=too_late))

    # --- what holds, whatever happened ------------------------------------------------------------

    @invariant()
    def everything_adds_up(self):
        if hasattr(self.shop, "pipeline"):
            Engine.steps += 1
            self._add_up()

    def _add_up(self):
        for seq, body in self.live(self.shop.postings_behind(self.taken)):
            self.shop.ledger.read(body)
            self.taken = seq
        consumed, returned, made = self.shop.ledger.with_open(self.shop.state.documents.values())
        each_unit_is_one_thing(self.shop, made, self.live(self.shop.held()))
        each_lot_is_whole(self.shop, consumed, returned)

    # --- the end --------------------------------------------------------------------------------

    def teardown(self):
        try:
            if hasattr(self.shop, "pipeline"):
                self._end()
        finally:
            with suppress(AttributeError):
                self.live(self.shop.close())
            self.loop.close()
            shutil.rmtree(self.folder)

    def _end(self):
        self.live(self.shop.check())
        self._post_what_can_be_posted()
        self._reverse_everything()
        self._add_up()
        everything_is_as_it_was(self.shop)
        self.live(self.shop.check())
        self._a_replay_is_the_same()
        Engine.drawn += self.shop.ledger.drawn

    def _post_what_can_be_posted(self):
        for item in ITEMS:
            self._stage(item, f"{item}-last", LINE, Decimal(100_000))
        for number in sorted(self.shop.state.exceptions):
            self.ask(CloseException(number, "miscount"))
        while documents := sorted(self.shop.state.documents):
            self.ask(CloseWindow(documents[0]))

    def _reverse_everything(self):
        self._add_up()
        for body in reversed(self.shop.ledger.postings.copy()):
            if body["posting_type"] in MADE and not body["reverses"] and not body["follows"]:
                self.ask(Reverse(body["seq"], "miscount"))

    def _a_replay_is_the_same(self):
        bodies = self.live(self.shop.bodies())
        again = self.live(replayed(self.shop, self.folder / "again.db"))

        assert bodies == again


@pytest.mark.timeout(300)
@pytest.mark.parametrize("half", [1, 2])  # each on a core of its own
def test_whatever_happens_each_unit_is_one_thing_and_a_replay_is_the_same(half, record_property):
    before = Engine.steps
    run(
        seed(half)(Engine) if settings.default.derandomize else Engine,  # in CI each half is always the same
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            print_blob=True,
            suppress_health_check=list(HealthCheck),
            phases=(Phase.explicit, Phase.reuse, Phase.generate),  # shrinking takes many minutes: ask for it by hand
        ),
    )
    record_property("steps", Engine.steps - before)

    assert Engine.steps - before >= 5_000
    assert Engine.drawn > Engine.steps / 4
    assert Engine.executed > Engine.refused > 0
