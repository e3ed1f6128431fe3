"""Modbus TCP: everything read in as few requests as possible, each poll a scan, reading functions only."""

import asyncio
import logging
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Literal, Self

from pydantic import AliasChoices, Field, ValidationInfo, field_validator, model_validator
from pymodbus.client import AsyncModbusTcpClient, AsyncModbusTlsClient
from pymodbus.constants import ExcCodes
from pymodbus.exceptions import ModbusException, ModbusIOException
from pymodbus.pdu import ModbusPDU

from gateway.errors import GatewayError, TransientError
from gateway.ports import Clock, DriverPlugin, Health, Intake, Link
from gateway.settings.base import Duration, Exact
from gateway.settings.device import DeviceSettings, SignalSettings
from gateway.signals import decode
from gateway.signals.blocks import Block, Point, apart, plan
from gateway.signals.sample import Sample, Scan
from gateway.transport.address import Address, parse_address
from gateway.transport.announced import Announced
from gateway.transport.backoff import Backoff
from gateway.transport.modbus import remember_failures
from gateway.transport.tls import TlsSettings

_log = logging.getLogger(__name__)
_PORTS = {"tcp": 502, "tls": 802}
_ONE = Decimal(1)
_SOON = 0.2  # s; a second look at a doubted value comes after the PLC has had time to finish writing it
# Modicon's numbers: the first digit names the table, the rest counts from one. 40001 is the offset 0.
_MODICON = {"coil": "", "discrete": "1", "input": "34", "holding": "34"}
# The allow-list: whatever happens, nothing else is ever sent.
_READING = {
    "coil": ("read_coils", 1),
    "discrete": ("read_discrete_inputs", 2),
    "input": ("read_input_registers", 4),
    "holding": ("read_holding_registers", 3),
}
_EXCEPTION = 0x80  # is added to the function that is refused
_BITS = ("coil", "discrete")
_NOT_THERE = (ExcCodes.ILLEGAL_ADDRESS, ExcCodes.ILLEGAL_VALUE)
_NOBODY_THERE = (ExcCodes.GATEWAY_PATH_UNAVIABLE, ExcCodes.GATEWAY_NO_RESPONSE)


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
        if self.register_ in _BITS and self.counter:
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
        return 1 if self.register_ in _BITS else decode.TYPES[self.type].registers


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


class ModbusDriver:
    """One unit with a connection of its own, so that its silence is nobody else's."""

    def __init__(self, settings: ModbusSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._state = Announced(Health(Link.CONNECTING), _log, settings.device)
        self._backoff = Backoff(settings.retry_after, settings.retry_at_most)
        self._contexts = {name for name, signal in settings.signals.items() if signal.counter is None}
        self._blocks: tuple[Block, ...] = ()
        self._doubted = asyncio.Event()
        self._failures: list[Exception] = []  # of the present connection

    @property
    def health(self) -> Health:
        """Return the current state."""
        return self._state.value

    async def run(self, intake: Intake) -> None:
        """Connect, poll, and begin again whenever that fails; until cancelled."""
        if self._settings.unsafe:
            _log.warning("%s: %s", self._settings.device, self._settings.unsafe)
        while True:
            try:
                with (self._settings.tls or TlsSettings()).explained():
                    await self._attend(intake)
            except GatewayError as error:
                self._state.set(Health(Link.DISCONNECTED, str(error)), logging.WARNING)
            await asyncio.sleep(self._backoff.next())

    async def _attend(self, intake: Intake) -> None:
        points = (Point(name, each.register_, each.address, each.size) for name, each in self._settings.signals.items())
        self._blocks = plan(points, self._contexts)
        client = await self._connect()
        try:
            while True:
                samples = await self._poll(client)
                intake.offer(Scan(self._settings.device, self._clock.now(), samples))
                self._backoff.reset()
                self._judge(samples)
                await self._pause()
        finally:
            client.close()

    async def _connect(self) -> AsyncModbusTcpClient:
        address, settings = self._settings.address, self._settings
        # No retries and no reconnecting of its own: with its defaults one silent unit takes 12 s to be noticed.
        common: dict[str, Any] = {"port": address.port, "timeout": settings.timeout, "retries": 0, "reconnect_delay": 0}
        if address.scheme == "tls":
            context = (settings.tls or TlsSettings()).context()
            client: AsyncModbusTcpClient = AsyncModbusTlsClient(address.host, sslctx=context, **common)
        else:
            client = AsyncModbusTcpClient(address.host, **common)
        self._failures = remember_failures(client)
        if not await client.connect():
            reason = self._failure or f"no connection within {settings.timeout:g} s"
            raise TransientError(f"{address}: {reason}") from self._failure
        return client

    @property
    def _failure(self) -> Exception | None:
        return self._failures[-1] if self._failures else None

    async def _poll(self, client: AsyncModbusTcpClient) -> tuple[Sample, ...]:
        samples: list[Sample] = []
        for block in self._blocks:
            answer = await self._ask(client, block)
            if len(block.points) > 1 and _exception(answer) in _NOT_THERE:
                await self._take_apart(client, block)
                return await self._poll(client)
            samples += [self._sample(point, block, answer) for point in block.points]
        return tuple(samples)

    async def _take_apart(self, client: AsyncModbusTcpClient, block: Block) -> None:
        """Find out which signals a block is refused for: they must not take the others down."""
        answers = [(point.signal, await self._ask(client, Block((point,)))) for point in block.points]
        invalid = {signal for signal, answer in answers if answer.isError()}
        self._blocks = apart(self._blocks, block, invalid, self._contexts)

    async def _ask(self, client: AsyncModbusTcpClient, block: Block) -> ModbusPDU:
        read, function = _READING[block.table]
        try:
            answer: ModbusPDU = await getattr(client, read)(
                block.address, count=block.count, device_id=self._settings.device_id
            )
        except (ModbusException, OSError) as error:
            # The connection is given up: a late answer must not be taken for that of the next request.
            silent = isinstance(error, ModbusIOException) and not self._failure
            reason = f"no answer within {self._settings.timeout:g} s" if silent else self._failure or error
            raise TransientError(f"{self._unit}: {reason}") from self._failure or error
        _end_if_cancelled()
        if answer.function_code & ~_EXCEPTION != function:
            raise TransientError(f"{self._unit}: function {function} was answered as {answer.function_code}")
        if _exception(answer) in _NOBODY_THERE:
            raise TransientError(f"{self._unit}: the gateway says {_name(answer)}")
        if not answer.isError() and not _complete(block, answer):
            raise TransientError(f"{self._unit}: {block.count} values were asked for, others were answered")
        return answer

    @property
    def _unit(self) -> str:
        return f"{self._settings.address} device_id {self._settings.device_id}"

    def _sample(self, point: Point, block: Block, answer: ModbusPDU) -> Sample:
        signal = self._settings.signals[point.signal]
        counts = signal.counter is not None
        if answer.isError():
            return decode.sample(point.signal, None, counts=counts, status=f"Bad: {_name(answer)}")
        first = point.address - block.address
        values = _values(block, answer)[first : first + point.count]
        if block.table in _BITS:
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
        if faults:
            self._state.set(Health(Link.DEGRADED, "; ".join(faults)), logging.WARNING)
        else:
            self._state.set(Health(Link.CONNECTED))

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


def _exception(answer: ModbusPDU) -> int | None:
    return answer.exception_code if answer.isError() else None


def _name(answer: ModbusPDU) -> str:
    code = answer.exception_code
    known = code in ExcCodes.__members__.values()
    return f"exception {code} {ExcCodes(code).name}" if known else f"exception {code}"


def _end_if_cancelled() -> None:
    """Take up a cancellation that `wait_for` of Python 3.11 drops where the answer comes at the same moment."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


def _complete(block: Block, answer: ModbusPDU) -> bool:
    found = len(_values(block, answer))
    return found >= block.count if block.table in _BITS else found == block.count  # bits are filled up to bytes


def _values(block: Block, answer: ModbusPDU) -> Sequence[int]:
    return answer.bits if block.table in _BITS else answer.registers


PLUGIN = DriverPlugin("modbus", ModbusSettings, ModbusDriver)
