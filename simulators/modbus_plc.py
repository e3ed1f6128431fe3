"""CAPPER-1: a PLC on Modbus TCP. Holding registers 0-1: uint32 count (CDAB), 2: uint16 boot id."""

import asyncio
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from pymodbus.constants import ExcCodes
from pymodbus.server import ModbusTcpServer, ModbusTlsServer
from pymodbus.simulator import DataType, SimData, SimDevice

from simulators.counters import Counted, Counters
from simulators.display import Display
from simulators.ledger import Ledger
from simulators.link import LOOPBACK, Link
from simulators.machine import Output

DEVICE_ID = 1
MODULUS = 1 << 32
WORD = 0xFFFF


@dataclass(frozen=True, slots=True)
class CapperSettings:
    """How the capper starts. Certificate and key switch to Modbus/TCP Security (TLS)."""

    port: int = 0
    capped: int = 0  # initial counter, to come near a rollover
    certificate: Path | None = None
    private_key: Path | None = None


class CapperPlc:
    """Counts capped bottles; the registers are computed at each poll, so a poll is never torn."""

    device = "CAPPER-1"

    def __init__(self, ledger: Ledger, settings: CapperSettings) -> None:
        self._settings = settings
        counted = (Counted("capped", modulus=MODULUS),)
        initial = {"capped": settings.capped}
        self._counters = Counters(ledger, self.device, counted, retentive=False, initial=initial)
        self._display = Display(self._counters)
        self._torn = False
        self._was_torn = False  # at the last poll
        self._refusing = False
        self.has_been_read = False
        self.link = Link(settings.port)

    @property
    def controller(self) -> str:
        """Where clients connect."""
        return f"tcp://{LOOPBACK}:{self.link.port}"

    async def start(self) -> None:
        """Listen."""
        registers = SimData(0, count=3, values=0, datatype=DataType.REGISTERS)
        device = SimDevice(DEVICE_ID, simdata=[registers], action=self._poll)
        self._server = self._make_server(device)
        await self._server.serve_forever(background=True)
        await self.link.open((LOOPBACK, cast("asyncio.Server", self._server.transport).sockets[0].getsockname()[1]))

    async def stop(self) -> None:
        """Stop listening."""
        await self.link.close()
        await self._server.shutdown()  # type: ignore[no-untyped-call]  # pymodbus leaves it untyped

    async def produce(self, output: Output) -> None:
        """Count what the machine made."""
        if output.capped:
            self._counters.add("capped", output.capped)

    async def reset(self, *, retentive: bool = False) -> None:
        """Power cycle: boot + 1, the count to 0 unless retentive."""
        self._counters.restart(retentive=retentive)

    async def preset(self, value: int, signal: str = "capped") -> None:
        """Set the count, as a technician does."""
        self._counters.preset(signal, value)

    async def swap(self, value: int) -> None:
        """Put another PLC in its place."""
        self._counters.swap(value)

    def torn_once(self) -> None:
        """Let the next poll see the new low word beside a high word of another moment.

        Never two polls in a row: the carry between the two words is over long before the second one.
        """
        self._torn = True

    async def stuck(self, seconds: float) -> None:
        """Show the same count for `seconds`; the machine goes on counting."""
        await self._display.show(seconds, "capped")

    async def lie(self, value: int, seconds: float) -> None:
        """Show a count that was never reached for `seconds`; the machine goes on counting."""
        await self._display.show(seconds, "capped", value)

    async def refuse(self, seconds: float) -> None:
        """Answer every poll with the exception `device failure` for `seconds`."""
        self._refusing = True
        await asyncio.sleep(seconds)
        self._refusing = False

    def _make_server(self, device: SimDevice) -> ModbusTcpServer:
        certificate = self._settings.certificate
        if certificate is None:
            return ModbusTcpServer(device, address=(LOOPBACK, 0))
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate, self._settings.private_key)
        return ModbusTlsServer(device, address=(LOOPBACK, 0), sslctx=context)

    async def _poll(
        self,
        _function: int,
        _start: int,
        _address: int,
        _count: int,
        registers: list[int],
        written: list[int] | list[bool] | None,
    ) -> ExcCodes | None:
        if written is not None:
            return ExcCodes.ILLEGAL_FUNCTION  # a counter is read-only
        if self._refusing:
            return ExcCodes.DEVICE_FAILURE
        count = self._display.value("capped")
        high, low = count >> 16, count & WORD
        self._was_torn = self._torn and not self._was_torn
        if self._was_torn:
            self._torn = False
            high = high - 1 if high else 1
        registers[0:3] = [low, high, self._counters.boot & WORD]
        self.has_been_read = True
        return None
