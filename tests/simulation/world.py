"""The line, its gateway and everything around them: what each step of a schedule does."""

import sqlite3
from collections import defaultdict
from datetime import timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from gateway.domain.command import StartOrder
from gateway.domain.lot import LotKey, Owner
from gateway.domain.signature import Author
from gateway.errors import CommandRefused
from tests.factories import make_staging
from tests.simulation.broker import Source
from tests.simulation.clock import SimulatedClock
from tests.simulation.erp import PulledErp, PushedErp, Reply
from tests.simulation.line import CASES, ITEMS, LINE, ORDERS, WEIGHT, make_line
from tests.simulation.machines import Machine
from tests.simulation.process import Process
from tests.simulation.store import STORE_ID, Fault
from tests.simulation.truth import Truth

_STEPS_OF_THE_CLOCK = (-3600, 3600, -2, 40)  # seconds
_FAULTS = tuple(Fault)


@cache
def _founded() -> bytes:
    """Return the file of a store that was just founded: the migrations take longer than a hundred steps."""
    with TemporaryDirectory() as folder:
        process = Process(Path(folder) / "gateway.db", SimulatedClock(), (), PushedErp(), Truth())
        process.start(make_line())
        process.die()
        return process.path.read_bytes()


class World:
    """Each public method named in `schedule.ACTIONS` is a step; its arguments are small numbers that always fit."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "gateway.db"
        self.clock = SimulatedClock()
        self.truth = Truth()
        self.machines = [Machine(name, self.clock, self.truth) for name in ("FILLER-1", "CAPPER-1", "LABELLER-1")]
        self.sources = [Source(CASES, self.clock, weighs=False), Source(WEIGHT, self.clock, weighs=True)]
        self.pushed, self.pulled = PushedErp(), PulledErp()
        self.staged: defaultdict[LotKey, Decimal] = defaultdict(Decimal)
        self.asked: dict[str, object] = {}  # stagings that nobody has confirmed, by id
        self.process = Process(self.path, self.clock, self.sources, self.pushed, self.truth)
        self._stagings = 0
        self._beside: sqlite3.Connection | None = None
        self.path.write_bytes(_founded())
        self._version = 1
        self._model = make_line()
        self._commission()

    def _commission(self) -> None:
        """Stage a little of everything, read every counter, hear of every source once."""
        self.process.start(self._model)
        for index in range(len(ITEMS)):
            self.stage(index, 40, 0)
        for number in range(3):
            self.poll(number)
        for number in range(2):
            self.publish(number, 1)
            self.deliver(number, 1)
        self.run()
        self._beside = sqlite3.connect(self.path)  # or each crash would copy the whole WAL: the last one to close does
        self._beside.execute("SELECT 1 FROM meta").fetchall()

    def close(self) -> None:
        self.crash()
        self._beside.close()

    # --- time and the process -------------------------------------------------------------------

    def pass_time(self, milliseconds: int) -> None:
        self.clock.advance(milliseconds)
        self.process.loop.advance(milliseconds / 1000)

    def wait(self, seconds: int) -> None:
        """Let time pass, in which every machine is read as always."""
        for _ in range(0, seconds, 5):
            self.pass_time(5000)
            for number in range(len(self.machines)):
                self.poll(number)
            self.run()

    def outage(self, seconds: int) -> None:
        """Let time pass, in which nobody looks at anything."""
        self.pass_time(seconds * 1000)

    def run(self) -> None:
        """Let the gateway do what it can; where it isn't running, somebody starts it."""
        if not self.process.running:
            self.process.start(self._model)
        self.process.run()
        self._read_again()

    def _read_again(self) -> None:
        """Do what drivers do that are asked to: read soon."""
        for number, one in enumerate(self.machines):
            if self.process.running and self.process.polling[one.name].asked:
                self.process.polling[one.name].asked = False
                self.poll(number)

    def crash(self) -> None:
        if self.process.running:
            self.process.die()

    def reboot(self, seconds: int) -> None:
        """Cut the power for a while."""
        self.crash()
        self.pass_time(seconds * 1000)
        self.clock.reboot()

    def break_commits(self, fault: int, spared: int, times: int) -> None:
        self.process.faults.arm(_FAULTS[fault % len(_FAULTS)], spared, times)

    def break_acknowledgement(self, when: int) -> None:
        self.process.ack_faults.armed = ("before", "after")[when % 2]

    def set_clock(self, how: int) -> None:
        """Set the gateway's wall clock wrong, or right if it is wrong already."""
        if self.clock.wrong:
            self.clock.synchronise()
        else:
            self.clock.step(_STEPS_OF_THE_CLOCK[how % 4])

    # --- machines with counters -----------------------------------------------------------------

    def make(self, machine: int, gauge: int, units: int) -> None:
        self.pass_time(int(self._machine(machine).make(gauge, units) * 1000) + 1)

    def poll(self, machine: int) -> None:
        one = self._machine(machine)
        self._offer(one.read() if one.linked else None)

    def tear(self, machine: int) -> None:
        self._machine(machine).tear()

    def poll_bad(self, machine: int) -> None:
        one = self._machine(machine)
        self._offer(one.read(bad=True) if one.linked else None)

    def delay(self) -> None:
        self.machines[0].delay()

    def arrive(self, twice: int) -> None:
        for scan in self.machines[0].arrive(twice=bool(twice % 2)):
            self._offer(scan)

    def link(self, machine: int) -> None:
        """Pull the machine's cable, or put it back."""
        one = self._machine(machine)
        one.linked = not one.linked

    def restart_machine(self, machine: int) -> None:
        self._machine(machine).restart()

    def swap_machine(self, machine: int, value: int) -> None:
        self._machine(machine).swap(value)

    def stick(self, machine: int) -> None:
        self._machine(machine).stick()

    def unstick(self, machine: int) -> None:
        self._machine(machine).unstick()

    def name_order(self, order: int) -> None:
        """Choose an order at the filler's panel, and for the packer."""
        chosen = (None, *ORDERS)[order % 4]
        self.machines[0].order = self.sources[0].order = chosen

    def _machine(self, number: int) -> Machine:
        return self.machines[number % len(self.machines)]

    def _offer(self, scan) -> None:
        if scan is not None and self.process.running:
            self.process.pipeline.intake.offer(scan)

    # --- machines that tell ---------------------------------------------------------------------

    def publish(self, source: int, amount: int) -> None:
        self._source(source).publish(amount)

    def publish_garbage(self, source: int) -> None:
        self._source(source).publish(1, readable=False)

    def flood(self, source: int, messages: int) -> None:
        for _ in range(messages):
            self._source(source).publish(1)
        self.deliver(source, messages)
        for number in range(messages):
            self.poll(number)

    def deliver(self, source: int, most: int) -> None:
        if self.process.running:
            self.process.sessions[source % 2].arrive(self._source(source).deliver(most))

    def deliver_again(self, source: int, which: int) -> None:
        if self.process.running:
            self.process.sessions[source % 2].arrive(self._source(source).deliver_again(which))

    def reorder(self, source: int) -> None:
        self._source(source).reorder()

    def lose(self, source: int, messages: int) -> None:
        self._source(source).lose(messages)

    def disconnect(self, source: int) -> None:
        if self.process.running:
            self.process.sessions[source % 2].redeliver()

    def _source(self, number: int) -> Source:
        return self.sources[number % 2]

    # --- people ---------------------------------------------------------------------------------

    def stage(self, item: int, quantity: int, owner: int) -> None:
        """Ask for a transfer to the line; who gets no answer asks again, under the same number."""
        name = tuple(ITEMS)[item % len(ITEMS)]
        whose = Owner("line", LINE) if owner % 4 == 0 else Owner("order", ORDERS[owner % 4 - 1])
        self._stagings += 1
        number = f"S-{self._stagings}"
        lot = f"{name}-{quantity % 3}"
        staging = make_staging(number, str(quantity), item=name, lot=lot, owner=whose, uom=ITEMS[name])
        self.staged[staging.key] += quantity
        self.asked[number] = staging
        self.ask_again()

    def ask_again(self) -> None:
        """Ask for every transfer that nobody confirmed, and for some a second time."""
        for number, staging in list(self.asked.items()):
            if self.process.running and not self.process.failing:
                done = self.process.complete(self.process.pipeline.commands.stage(staging, "operator"))
                if isinstance(done, bool):
                    del self.asked[number]

    def start_order(self, order: int) -> None:
        if self.process.running and not self.process.failing:
            command = StartOrder(LINE, ORDERS[order % len(ORDERS)])
            self.process.complete(self.process.pipeline.commands.execute(command, Author("operator")))

    def reload(self) -> None:
        """Put other master data in force."""
        self._version += 1
        model = make_line(1 + self._version % 3)
        if self.process.running and not self.process.failing:
            answer = self.process.complete(self.process.pipeline.commands.activate(model))
            if answer is None and self.process.running:
                self._model = model

    def prune(self, minutes: int) -> None:
        if self.process.running:
            self.process.prune(timedelta(minutes=minutes))

    # --- the ERP --------------------------------------------------------------------------------

    def answer(self, reply: int) -> None:
        self.pushed.answer(Reply(reply % len(Reply)))
        self.run()

    def pull(self, limit: int) -> None:
        if self.process.running:
            self.process.complete(self.pulled.pull(self.process.log, limit))

    def pull_again(self, which: int) -> None:
        if self.process.running:
            self.process.complete(self.pulled.ask_again(self.process.log, which))

    def acknowledge(self) -> None:
        """Tell how far the pulling ERP has come."""
        if self.process.running and not self.process.failing and self.pulled.cursor:
            command = self.process.pipeline.commands.acknowledge(PulledErp.NAME, STORE_ID, self.pulled.cursor)
            if isinstance(refused := self.process.complete(command), CommandRefused):
                raise AssertionError(refused)
