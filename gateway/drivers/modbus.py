"""Modbus TCP: everything read in as few requests as possible, each poll a scan, reading functions only."""

import asyncio
import logging
from collections.abc import Sequence
from decimal import Decimal
from functools import partial
from typing import Literal, Self

from pydantic import AliasChoices, Field, ValidationInfo, field_validator, model_validator

from gateway.domain.health import Health
from gateway.ports import Clock, DriverPlugin, Intake
from gateway.settings.base import Duration, Exact
from gateway.settings.device import DeviceSettings, SignalSettings
from gateway.signals import decode
from gateway.signals.blocks import BITS, Block, Point, apart, plan
from gateway.signals.sample import Sample, Scan
from gateway.transport.address import Address, parse_address
from gateway.transport.device_link import DeviceLink
from gateway.transport.modbus import Answer, ModbusConnection
from gateway.transport.tls import TlsSettings

_log = logging.getLogger(__name__)
_PORTS = {"tcp": 502, "tls": 802}
_ONE = Decimal(1)
_SOON = 0.2  # s; a second look at a doubted value comes after the PLC has had time to finish writing it
# Modicon's numbers: the first digit names the table, the rest counts from one. 40001 is the offset 0.
_MODICON = {"coil": "", "discrete": "1", "input": "34", "holding": "34"}


class ModbusSignal(SignalSettings):
    """One number in the device's registers, or one bit."""

    register_: Literal["holding", "input", "coil", "discrete"] = Field(alias="register")
    address: int = Field(ge=0, le=0xFFFF, description="zero-based")
    type: Literal["int16", "uint16", "int32", "uint32", "int64", "uint64", "float32", "float64"] = "uint16"
    byte_order: Literal["ABCD", "DCBA", "BADC", "CDAB"] = "ABCD"
    scale: Exact = Field(default=_ONE, description="the number in the register × scale is the value")

    @field_validator("address", mode="before")
    @classmethod
    def _is_an_offset(cls, value: object, info: ValidationInfo) -> object:
        # Taken for an offset, 40001 would silently be another register.
        digits = str(value).strip()
        tables = "134" if isinstance(value, str) else _MODICON.get(info.data.get("register_", ""), "")
        if digits.isdigit() and len(digits) in (5, 6) and digits[0] in tables and int(digits[1:]):
            raise ValueError(f"{digits} counts from 1; write the zero-based offset {int(digits[1:]) - 1}")
        return value

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.register_ in BITS and self.counter:
            raise ValueError(f"a {self.register_} is a pulse, and pulses are missed; count from a register")
        if self.address + self.size > 0xFFFF + 1:
            raise ValueError(f"{self.type} at address {self.address} ends beyond 65535")
        most = decode.TYPES[self.type].counts * self.scale
        if self.counter and self.counter.modulus > most:
            # It would be held at each rollover, or after a long outage counted wrong.
            raise ValueError(
                f"{self.type} shows 0 … {most - 1:f}; a modulus of {self.counter.modulus} is never reached"
            )
        return self

    @property
    def size(self) -> int:
        """How many registers (or bits) it takes."""
        return 1 if self.register_ in BITS else decode.TYPES[self.type].registers


class ModbusSettings(DeviceSettings):
    """One unit. `tcp://` is neither encrypted nor authenticated; `tls://` is both."""

    kind: Literal["modbus"]
    controller: str = Field(description="tcp://host:502 or tls://host:802")
    device_id: int = Field(
        default=1, ge=0, le=255, validation_alias=AliasChoices("device_id", "slave_id", "unit_id"), description="unit"
    )
    poll_interval: Duration = Field(default=0.2, gt=0, description="every poll reads all signals")
    timeout: Duration = Field(default=1.0, gt=0, description="for one answer")
    tls: TlsSettings | None = None
    signals: dict[str, ModbusSignal] = Field(min_length=1)

    @field_validator("controller")
    @classmethod
    def _is_a_controller(cls, url: str) -> str:
        parse_address(url, _PORTS)
        return url

    @model_validator(mode="after")
    def _tls_where_it_is_used(self) -> Self:
        if self.tls and self.address.scheme != "tls":
            raise ValueError(f"tls needs a controller at tls://…, not {self.controller}")
        return self

    @property
    def unsafe(self) -> str:
        """What plain Modbus leaves open."""
        return "" if self.address.scheme == "tls" else "plain Modbus, nothing is encrypted or authenticated"

    @property
    def address(self) -> Address:
        """Where the unit, or the gateway before it, listens."""
        return parse_address(self.controller, _PORTS)

    def connection(self) -> ModbusConnection:
        """Return a connection that isn't open yet, certificates read now; ConfigError when they can't be."""
        tls = (self.tls or TlsSettings()).context() if self.address.scheme == "tls" else None
        return ModbusConnection(self.address, self.device_id, self.timeout, tls)


class ModbusDriver:
    """One unit with a connection of its own, so that its silence is nobody else's."""

    def __init__(self, settings: ModbusSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._link = DeviceLink(settings, _log)
        self._contexts = {name for name, signal in settings.signals.items() if signal.counter is None}
        self._blocks: tuple[Block, ...] = ()
        self._doubted = asyncio.Event()

    @property
    def health(self) -> Health:
        """Return the current state."""
        return self._link.health

    async def run(self, intake: Intake) -> None:
        """Connect, poll, and begin again whenever that fails; until cancelled."""
        await self._link.keep_up(partial(self._attend, intake))

    async def _attend(self, intake: Intake) -> None:
        points = (Point(name, each.register_, each.address, each.size) for name, each in self._settings.signals.items())
        self._blocks = plan(points, self._contexts)
        connection = self._settings.connection()
        try:
            with (self._settings.tls or TlsSettings()).explained():
                await connection.open()
                while True:
                    await self._take(connection, intake)
                    await self._pause()
        finally:
            connection.close()

    async def _take(self, connection: ModbusConnection, intake: Intake) -> None:
        samples = await self._poll(connection)
        intake.offer(Scan(self._settings.device, self._clock.now(), samples))
        self._link.answered()
        self._judge(samples)

    async def _poll(self, connection: ModbusConnection) -> tuple[Sample, ...]:
        samples: list[Sample] = []
        for block in self._blocks:
            answer = await connection.read(block)
            if len(block.points) > 1 and answer.not_there:
                await self._take_apart(connection, block)
                return await self._poll(connection)
            samples += [self._sample(point, block, answer) for point in block.points]
        return tuple(samples)

    async def _take_apart(self, connection: ModbusConnection, block: Block) -> None:
        """Find out which signals a block is refused for: they must not take the others down."""
        answers = [(point.signal, await connection.read(Block((point,)))) for point in block.points]
        invalid = {signal for signal, answer in answers if answer.refused}
        self._blocks = apart(self._blocks, block, invalid, self._contexts)

    def _sample(self, point: Point, block: Block, answer: Answer) -> Sample:
        signal = self._settings.signals[point.signal]
        counts = signal.counter is not None
        if answer.refused:
            return decode.sample(point.signal, None, counts=counts, status=f"Bad: {answer.refused}")
        first = point.address - block.address
        values = answer.values[first : first + point.count]
        if block.table in BITS:
            return decode.sample(point.signal, values[0], counts=counts)
        number = decode.from_registers(values, signal.type, signal.byte_order)
        return decode.sample(point.signal, decode.scaled(number, signal.scale), counts=counts)

    def _judge(self, samples: Sequence[Sample]) -> None:
        faults = [
            f"{bad.signal} ({self._settings.signals[bad.signal].register_} "
            f"{self._settings.signals[bad.signal].address}): {bad.status}"
            for bad in samples
            if bad.value is None
        ]
        self._link.judge(faults)

    async def _pause(self) -> None:
        self._doubted.clear()
        try:
            async with asyncio.timeout(self._settings.poll_interval):
                await self._doubted.wait()
                await asyncio.sleep(_SOON)
        except TimeoutError:
            return

    def read_again(self, signal: str) -> None:  # noqa: ARG002 - every poll reads all
        """Poll soon, if the next poll is far."""
        self._doubted.set()

    def acknowledge(self, receipts: Sequence[object]) -> None:
        """Nothing to release: counters are cumulative."""

    def redeliver(self) -> None:
        """Nothing to ask for: the next poll says it all."""


PLUGIN = DriverPlugin("modbus", ModbusSettings, ModbusDriver)
