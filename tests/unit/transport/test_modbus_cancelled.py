"""A device's part ends when it is told to, also at the moment at which its connection fails."""

import asyncio

import pytest

from gateway.transport.address import Address
from gateway.transport.modbus import ModbusConnection


async def test_a_cancellation_that_meets_a_failed_connect_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    connection = ModbusConnection(Address("tcp", "127.0.0.1", 502), 1, 1.0, None)
    started = asyncio.Event()

    async def failing_as_it_is_cancelled() -> bool:  # as wait_for of Python 3.11 does
        started.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            return False
        return True

    monkeypatch.setattr(connection._client, "connect", failing_as_it_is_cancelled)
    opening = asyncio.create_task(connection.open())
    await started.wait()
    opening.cancel()

    with pytest.raises(asyncio.CancelledError):
        await opening
