"""What a Modbus client doesn't tell: why it didn't connect, was hung up on, or could not read an answer."""

from typing import Any

from pymodbus.client import AsyncModbusTcpClient
from pymodbus.exceptions import ModbusException


def remember_failures(client: AsyncModbusTcpClient) -> list[Exception]:
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
