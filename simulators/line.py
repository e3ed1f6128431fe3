"""Line L1 in one process: the physics, and whichever devices and servers are asked for."""

import asyncio
import json
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Self

from simulators.broker import EmbeddedBroker
from simulators.erp import Erp, ErpSettings
from simulators.ledger import Ledger
from simulators.machine import BottlingLine, Station
from simulators.modbus_plc import CapperPlc, CapperSettings
from simulators.opcua_plc import FillerPlc, FillerSettings
from simulators.packer import SEAL_TOPIC, Packer, Scale
from simulators.until import until

TICK = 0.04  # seconds
GRACE = 20.0  # seconds that the rest of a client's signals have to follow the first …
BLIND_GRACE = 2.0  # … where an external broker does not tell who subscribed
ALL = frozenset({"broker", "filler", "capper", "packer", "erp"})

Device = FillerPlc | CapperPlc | Packer | Scale
Part = Device | EmbeddedBroker | Erp


@dataclass(frozen=True, slots=True)
class Ports:
    """Listening ports on loopback; 0 takes a free one."""

    filler: int = 0
    capper: int = 0
    broker: int = 0
    erp: int = 0


AUTO = Ports()
DEFAULT = Ports(filler=4840, capper=5020, broker=1883, erp=8090)


class Line:
    """`async with Line(folder) as line:` runs the line; its parts are attributes, None if left out.

    With `start="when-read"` nothing is made until clients have read the PLCs' counters: units made
    before the gateway's baseline belong to nobody.
    """

    def __init__(
        self,
        directory: Path,
        *,
        seed: int = 1,
        speed: float = 1.0,
        start: str = "when-read",
        parts: frozenset[str] = ALL,
        ports: Ports = AUTO,
        broker: str | None = None,
        filler: FillerSettings | None = None,
        capper: CapperSettings | None = None,
        erp: ErpSettings | None = None,
    ) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._directory = directory
        self._ledger = Ledger(directory / "truth")
        self._machine = BottlingLine(seed, speed)
        self._waits = start == "when-read"
        self._task: asyncio.Task[None] | None = None
        self._stack = AsyncExitStack()
        filler = replace(filler or FillerSettings(), port=ports.filler)
        capper = replace(capper or CapperSettings(), port=ports.capper)
        self.filler = FillerPlc(self._ledger, filler) if "filler" in parts else None
        self.capper = CapperPlc(self._ledger, capper) if "capper" in parts else None
        self.packer = Packer(self._ledger) if "packer" in parts else None
        self.scale = Scale(self._ledger) if "packer" in parts else None
        self.broker = EmbeddedBroker(ports.broker) if "broker" in parts and broker is None else None
        self._broker_url = self.broker.url if self.broker else broker or f"mqtt://127.0.0.1:{DEFAULT.broker}"
        self.erp = self._make_erp(replace(erp or ErpSettings(), port=ports.erp)) if "erp" in parts else None

    async def __aenter__(self) -> Self:
        try:
            for server in (self.broker, self.erp, self.filler, self.capper):
                if server is not None:
                    await server.start()
                    self._stack.push_async_callback(server.stop)
            for client in (self.packer, self.scale):
                if client is not None:
                    await client.start(self._broker_url)
                    self._stack.push_async_callback(client.stop)
        except BaseException:
            await self._stack.aclose()
            raise
        self._write_ports()
        self._task = asyncio.ensure_future(self._run())
        self._stack.push_async_callback(self._end_run)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    @property
    def parts(self) -> dict[str, Part]:
        """Every part that runs, by its name on the shop floor."""
        every = (self.filler, self.capper, self.packer, self.scale, self.broker, self.erp)
        return {part.device: part for part in every if part is not None}

    @property
    def endpoints(self) -> dict[str, dict[str, str]]:
        """Where each server listens, as written to ports.json."""
        found: dict[str, dict[str, str]] = {}
        if self.filler:
            found["filler"] = {"endpoint": self.filler.endpoint}
        if self.capper:
            found["capper"] = {"controller": self.capper.controller}
        if self.broker or self.packer:
            found["broker"] = {"broker": self._broker_url}
        if self.erp:
            found["erp"] = {"url": self.erp.url}
        return found

    def pause(self, device: str) -> None:
        """Stop one machine; the others go on while they have something to do."""
        self._stations[device].running = False

    def resume(self, device: str) -> None:
        """Let it run again."""
        self._stations[device].running = True

    async def stop_production(self) -> None:
        """Stop filling; return when the line ran empty and the broker acknowledged everything."""
        self.pause("FILLER-1")
        await until(lambda: self._machine.idle and self._drained)

    async def crash(self) -> None:
        """Return or raise when the production loop ends by itself, which it never should."""
        if self._task:
            await self._task

    @property
    def _stations(self) -> dict[str, Station]:
        machine = self._machine
        return {
            "FILLER-1": machine.filler,
            "CAPPER-1": machine.capper,
            "PACKER-1": machine.packer,
            "SCALE-1": machine.scale,
        }

    @property
    def _drained(self) -> bool:
        return all(publisher.drained for publisher in (self.packer, self.scale) if publisher)

    def _make_erp(self, settings: ErpSettings) -> Erp:
        return Erp(self._directory / "erp.db", settings)

    def _write_ports(self) -> None:
        path = self._directory / "ports.json"
        unfinished = path.with_suffix(".tmp")
        unfinished.write_text(json.dumps(self.endpoints, indent=2) + "\n", "utf-8")
        unfinished.replace(path)

    async def _run(self) -> None:
        if self._waits:
            await self._wait_for_clients()
        loop = asyncio.get_running_loop()
        before = loop.time()
        while True:
            await asyncio.sleep(TICK)
            now = loop.time()
            output = self._machine.tick(now - before)
            before = now
            for device in (self.filler, self.capper, self.packer, self.scale):
                if device is not None:
                    await device.produce(output)

    async def _wait_for_clients(self) -> None:
        plcs = [plc for plc in (self.filler, self.capper) if plc]
        await until(lambda: all(plc.has_been_read for plc in plcs))
        told = self.packer is None or self.broker is not None
        await until(self._everything_read, within=GRACE if told else BLIND_GRACE)

    def _everything_read(self) -> bool:
        """Whether no unit can be missed; an external broker does not tell who subscribed."""
        seals_are_heard = self.packer is None or (self.broker is not None and self.broker.has_subscriber(SEAL_TOPIC))
        return seals_are_heard and (self.filler is None or self.filler.all_read)

    async def _end_run(self) -> None:
        if self._task:
            self._task.cancel()
            await asyncio.wait([self._task])
