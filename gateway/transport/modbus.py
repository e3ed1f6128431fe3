"""One Modbus connection that only reads, and says what pymodbus doesn't: why it failed."""

import asyncio
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pymodbus.client import AsyncModbusTcpClient, AsyncModbusTlsClient
from pymodbus.constants import ExcCodes
from pymodbus.exceptions import ModbusException, ModbusIOException
from pymodbus.pdu import ModbusPDU

from gateway.errors import TransientError
from gateway.signals.blocks import BITS, Block
from gateway.transport.address import Address

# The allow-list: whatever happens, nothing else is ever sent.
_READING = {
    "coil": ("read_coils", 1),
    "discrete": ("read_discrete_inputs", 2),
    "input": ("read_input_registers", 4),
    "holding": ("read_holding_registers", 3),
}
_EXCEPTION = 0x80  # is added to the function that is refused
_NOT_THERE = (ExcCodes.ILLEGAL_ADDRESS, ExcCodes.ILLEGAL_VALUE)
_NOBODY_THERE = (ExcCodes.GATEWAY_PATH_UNAVIABLE, ExcCodes.GATEWAY_NO_RESPONSE)


@dataclass(frozen=True, slots=True)
class Answer:
    """The registers or bits of a block, or why they are refused; `not_there`: some of them don't exist."""

    values: Sequence[int] = ()
    refused: str = ""
    not_there: bool = False


class ModbusConnection:
    """One unit, from connect to close; without `tls` it speaks plain TCP. `timeout` (s) is for one answer."""

    def __init__(self, address: Address, device_id: int, timeout: float, tls: ssl.SSLContext | None) -> None:
        self._address = address
        self._device_id = device_id
        self._timeout = timeout
        # No retries and no reconnecting of its own: with its defaults one silent unit takes 12 s to be noticed.
        common: dict[str, Any] = {"port": address.port, "timeout": timeout, "retries": 0, "reconnect_delay": 0}
        self._client = (
            AsyncModbusTlsClient(address.host, sslctx=tls, **common)
            if tls
            else AsyncModbusTcpClient(address.host, **common)
        )
        self._failures = _remember_failures(self._client)

    async def open(self) -> None:
        """Connect; TransientError with the reason where that fails."""
        connected = await self._client.connect()
        _end_if_cancelled()
        if not connected:
            reason = self._failure or f"no connection within {self._timeout:g} s"
            raise TransientError(f"{self._address}: {reason}") from self._failure

    async def read(self, block: Block) -> Answer:
        """Ask for a block; TransientError for anything that is no answer to it: the connection is of no use then."""
        pdu = await self._answered(block)
        if pdu.isError():
            return Answer(refused=_name(pdu), not_there=pdu.exception_code in _NOT_THERE)
        values = pdu.bits if block.table in BITS else pdu.registers
        if not _complete(block, len(values)):
            raise TransientError(f"{self._unit}: {block.count} values were asked for, others were answered")
        return Answer(values)

    def close(self) -> None:
        """End it."""
        self._client.close()

    async def _answered(self, block: Block) -> ModbusPDU:
        name, function = _READING[block.table]
        try:
            pdu: ModbusPDU = await getattr(self._client, name)(
                block.address, count=block.count, device_id=self._device_id
            )
        except (ModbusException, OSError) as error:
            # The connection is given up: a late answer must not be taken for that of the next request.
            silent = isinstance(error, ModbusIOException) and not self._failure
            reason = f"no answer within {self._timeout:g} s" if silent else self._failure or error
            raise TransientError(f"{self._unit}: {reason}") from self._failure or error
        _end_if_cancelled()
        if pdu.function_code & ~_EXCEPTION != function:
            raise TransientError(f"{self._unit}: function {function} was answered as {pdu.function_code}")
        if pdu.isError() and pdu.exception_code in _NOBODY_THERE:
            raise TransientError(f"{self._unit}: the gateway says {_name(pdu)}")
        return pdu

    @property
    def _failure(self) -> Exception | None:
        return self._failures[-1] if self._failures else None

    @property
    def _unit(self) -> str:
        return f"{self._address} device_id {self._device_id}"


def _name(pdu: ModbusPDU) -> str:
    code = pdu.exception_code
    known = code in ExcCodes.__members__.values()
    return f"exception {code} {ExcCodes(code).name}" if known else f"exception {code}"


def _complete(block: Block, found: int) -> bool:
    return found >= block.count if block.table in BITS else found == block.count  # bits are filled up to bytes


def _end_if_cancelled() -> None:
    """Take up a cancellation that `wait_for` of Python 3.11 drops where the answer comes at the same moment."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


def _remember_failures(client: AsyncModbusTcpClient) -> list[Exception]:
    """Return the list that the failures of its connection will be added to: pymodbus only logs them."""
    failures: list[Exception] = []
    link: Any = client.ctx
    create, lost, heard = link.call_create, link.connection_lost, link.callback_data

    async def call_create() -> Any:
        try:
            return await create()
        except OSError as error:
            failures.append(error)
            raise

    def connection_lost(error: Exception | None) -> None:
        if error is not None:
            failures.append(error)
        lost(error)

    def callback_data(data: bytes, addr: tuple[str, int] | None = None) -> int:
        try:
            used: int = heard(data, addr)
        except ModbusException as error:  # what follows an answer that is none can't be read either
            failures.append(error)
            link.close()
            return len(data)
        return used

    link.call_create, link.connection_lost, link.callback_data = call_create, connection_lost, callback_data
    return failures
