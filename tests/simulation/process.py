"""The gateway's process: its real parts over the simulated ports, started, paused, killed and started again."""

import asyncio
from collections import deque
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from gateway.errors import GatewayError
from gateway.pipeline.intake import IntakeQueue
from gateway.pipeline.model import LineModel
from gateway.pipeline.pipeline import Pipeline
from gateway.pipeline.writer import Writer
from gateway.ports import Intake
from gateway.runtime.clock_watch import ClockWatch
from gateway.settings.sink import SinkSettings
from gateway.signals.sample import Scan
from gateway.store.batch import ConsumerKey, ConsumerKind
from gateway.store.retention import prune
from gateway.store.store import Registration
from gateway.sync.dispatcher import Dispatcher
from gateway.transport.backoff import Backoff
from tests.simulation.broker import Source
from tests.simulation.clock import SimulatedClock
from tests.simulation.erp import PulledErp, PushedErp
from tests.simulation.loop import VirtualLoop
from tests.simulation.store import Crash, Faults, SimulatedLog, SimulatedStore
from tests.simulation.truth import Truth, Violation

_SINK = SinkSettings(sink="erp", kind="simulated", batch=20, retry_after=1.0, retry_at_most=10.0)
_READERS = [
    Registration(ConsumerKey(ConsumerKind.SINK, "erp"), True),
    Registration(ConsumerKey(ConsumerKind.PULLER, PulledErp.NAME), True),
]


class PollingDriver:
    """The port to a machine with counters: the schedule reads it, and it remembers what it was asked for."""

    def __init__(self) -> None:
        self.asked = False

    def read_again(self, signal: str) -> None:
        del signal  # all of them are read at once
        self.asked = True

    def acknowledge(self, receipts: Sequence[object]) -> None:
        raise Violation(f"readings are not acknowledged: {receipts}")

    def redeliver(self) -> None:
        self.asked = True


class SessionDriver:
    """The port to a broker's session: puts what arrives into the intake, as soon as there is room."""

    def __init__(self, source: Source, faults: "AckFaults") -> None:
        self._source = source
        self._faults = faults
        self._arrived: deque[Scan] = deque()
        self._news = asyncio.Event()

    def arrive(self, scans) -> None:
        self._arrived.extend(scans)
        self._news.set()

    async def run(self, intake: Intake) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            while self._arrived:
                await intake.put(self._arrived.popleft())

    def read_again(self, signal: str) -> None:
        raise Violation(f"{signal} is no counter")

    def acknowledge(self, receipts: Sequence[object]) -> None:
        self._faults.before()
        for connection, number in receipts:
            self._source.acknowledge(connection, number)
        self._faults.after()

    def redeliver(self) -> None:
        self._arrived.clear()
        self._source.disconnect()


class AckFaults:
    """Kills the process around its next acknowledgement."""

    def __init__(self) -> None:
        self.armed = ""

    def before(self) -> None:
        self._crash("before")

    def after(self) -> None:
        self._crash("after")

    def _crash(self, when: str) -> None:
        if self.armed == when:
            self.armed = ""
            raise Crash(f"{when} the acknowledgement")


class Process:
    """One gateway, running or not; nothing of it but the file outlives a crash."""

    def __init__(self, path: Path, clock: SimulatedClock, sources: Sequence[Source], erp: PushedErp, truth: Truth):
        self.path = path
        self._clock = clock
        self._sources = sources
        self._erp = erp
        self._truth = truth
        self.loop = VirtualLoop()
        self.faults = Faults()
        self.ack_faults = AckFaults()
        self.running = False
        self.crashes = 0

    # --- life and death -------------------------------------------------------------------------

    def start(self, model: LineModel) -> None:
        """Start as the daemon does; a fault of the disk ends it at once, and it stays down."""
        self.store = SimulatedStore(self.path, self.faults, self._truth.committed)
        self.log: SimulatedLog | None = None
        try:
            self.loop.complete(self._open(model))
        except (Crash, GatewayError):
            self.die()
        else:
            self.running = True

    async def _open(self, model: LineModel) -> None:
        await self.store.start()
        await self.store.register(_READERS, self._clock.now().wall)
        self.log = await SimulatedLog.open(self.path)
        writer = await Writer.load(self.store, self.log, self._clock, model)
        self.pipeline = Pipeline(writer, IntakeQueue(24), batch=8)
        self.pipeline._backoff = Backoff(0.2, 30.0, _half)
        await self.pipeline.commands.activate_now(model)
        self._start_parts()

    def _start_parts(self) -> None:
        pipeline = self.pipeline
        self.polling = {name: PollingDriver() for name in ("FILLER-1", "CAPPER-1", "LABELLER-1")}
        self.sessions = [SessionDriver(one, self.ack_faults) for one in self._sources]
        named = [(one.signal.device, driver) for one, driver in zip(self._sources, self.sessions, strict=True)]
        for name, driver in (*self.polling.items(), *named):
            pipeline.attach(name, driver)
        dispatcher = Dispatcher(_SINK, self._erp, self.log, pipeline.commands)
        dispatcher._backoff = Backoff(1.0, 10.0, _half)
        parts = [pipeline.run(), dispatcher.run(), ClockWatch(self._clock, pipeline.commands).run()]
        parts += [driver.run(pipeline.intake) for driver in self.sessions]
        self._parts = [self.loop.create_task(one) for one in parts]

    def die(self) -> None:
        """End at once: memory is gone, the broker and the ERP notice."""
        self.running = False
        self.crashes += 1
        self.loop.kill()
        self._erp.hang_up()
        for source in self._sources:
            source.disconnect()
        if self.log is not None:
            self.log.die()
        self.store.die()

    # --- what it is asked -----------------------------------------------------------------------

    def run(self) -> None:
        """Let every part do what it can."""
        if self.running:
            self._guarded(self.loop.settle)

    def complete(self, work):
        """Have something asked from outside carried out; None where the process ends or can't."""
        if not self.running:
            work.close()
            return None
        return self._guarded(lambda: self.loop.complete(work))

    def _guarded(self, act):
        try:
            return act()
        except Crash:
            self.die()
        except GatewayError as error:
            return error
        finally:
            self._still_alive()
        return None

    def _still_alive(self) -> None:
        for part in self._parts if self.running else ():
            if part.done():
                if isinstance(part.exception(), Violation):
                    raise part.exception()
                raise Violation(f"a part of the gateway broke off: {part.exception()!r}") from part.exception()

    def prune(self, keep: timedelta) -> None:
        self.complete(prune(self.store, keep, self._clock.now().wall))

    @property
    def failing(self) -> bool:
        return bool(self.pipeline.failure)


def _half() -> float:
    return 0.5
