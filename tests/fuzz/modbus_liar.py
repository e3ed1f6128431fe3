"""A Modbus TCP server that answers a few times otherwise than it should, and then as it should."""

import asyncio
import random
import struct
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, Self

HONEST, LIE = 100, 999  # the counter shows the first; the second stands only in answers that are none
BOOT = 1
_HEADER = ">HHHB"


class Asked(NamedTuple):
    transaction: int
    unit: int
    function: int
    address: int
    count: int


def frame(asked: Asked, pdu: bytes, **changed: Any) -> bytes:
    """Return an answer; `transaction`, `protocol`, `unit` and `length` may be other than they should."""
    right = {"transaction": asked.transaction, "protocol": 0, "length": len(pdu) + 1, "unit": asked.unit}
    fields = right | changed
    return struct.pack(_HEADER, *(fields[name] for name in right)) + pdu


def registers(asked: Asked, *values: int, function: int | None = None, size: int | None = None) -> bytes:
    """Return the function, how many bytes follow, and the values."""
    content = struct.pack(f">{len(values)}H", *values)
    return bytes([asked.function if function is None else function, len(content) if size is None else size]) + content


def honest(asked: Asked, _: random.Random) -> list[bytes]:
    return [frame(asked, registers(asked, *(HONEST, 0, BOOT)[asked.address :][: asked.count]))]


def _lie(asked: Asked, **more: Any) -> bytes:
    return registers(asked, LIE, 0, BOOT, **more)


def _exception(asked: Asked, code: int) -> list[bytes]:
    return [frame(asked, bytes([asked.function | 0x80, code]))]


Answer = Callable[[Asked, random.Random], list[bytes]]
LIES: dict[str, Answer] = {
    "another transaction": lambda a, c: [frame(a, _lie(a), transaction=a.transaction + c.randrange(1, 9))],
    "another transaction first": lambda a, c: [frame(a, _lie(a), transaction=a.transaction + 1) + honest(a, c)[0]],
    "another protocol": lambda a, c: [frame(a, _lie(a), protocol=c.randrange(1, 65536))],
    "another unit": lambda a, c: [frame(a, _lie(a), unit=(a.unit + c.randrange(1, 256)) % 256)],
    "another function": lambda a, _: [frame(a, _lie(a, function=4))],
    "a function that reads bits": lambda a, _: [frame(a, _lie(a, function=1))],
    "a function that writes": lambda a, _: [frame(a, bytes([16]) + struct.pack(">HH", 0, 3))],
    "no function": lambda a, c: [frame(a, _lie(a, function=c.choice((0, 65, 100, 127))))],
    "any exception": lambda a, c: _exception(a, c.randrange(256)),
    "an exception without a code": lambda a, _: [frame(a, bytes([a.function | 0x80]))],
    "an exception of another function": lambda a, _: [frame(a, bytes([0x81, 2]))],
    "nothing but a header": lambda a, _: [frame(a, b"")],
    "a length of zero": lambda a, _: [frame(a, _lie(a), length=0)],
    "a huge length": lambda a, _: [frame(a, _lie(a), length=0xFFFF)],
    "a short length": lambda a, _: [frame(a, _lie(a), length=5)],
    "fewer registers": lambda a, _: [frame(a, registers(a, *(LIE,) * (a.count - 1)))],
    "no register": lambda a, _: [frame(a, registers(a))],
    "more registers": lambda a, _: [frame(a, registers(a, LIE, 0, BOOT, LIE))],
    "half a register": lambda a, _: [frame(a, _lie(a)[:-1], length=8)],
    "an odd size": lambda a, _: [frame(a, _lie(a, size=5))],
    "a size beyond the frame": lambda a, _: [frame(a, _lie(a, size=250))],
    "a size of zero": lambda a, _: [frame(a, _lie(a, size=0))],
    "half an answer": lambda a, c: [frame(a, _lie(a))[: c.randrange(1, 14)]],
    "garbage": lambda _, c: [c.randbytes(c.randrange(1, 300))],
    "much garbage": lambda _, c: [c.randbytes(100_000)],
    "a page of HTML": lambda _, __: [b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/html\r\n\r\n<html>"],
    "silence": lambda _, __: [],
    "the answer, byte by byte": lambda a, c: [bytes([one]) for one in honest(a, c)[0]],
}


class Liar:
    """Gives the answers it was told to, one a request; none left: the honest one."""

    def __init__(self, answers: Iterable[Answer], chance: random.Random) -> None:
        self._answers = iter(answers)
        self._chance = chance
        self.port = 0
        self.told = 0
        self.honest = False

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                transaction, _, length, unit = struct.unpack(_HEADER, await reader.readexactly(7))
                pdu = struct.unpack(">BHH", await reader.readexactly(length - 1))
                await self._answer(Asked(transaction, unit, *pdu), writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()  # also where the test ended meanwhile: left open it warns, in whatever test comes next

    async def _answer(self, asked: Asked, writer: asyncio.StreamWriter) -> None:
        answer = next(self._answers, None)
        self.honest = answer is None
        self.told += not self.honest
        for piece in (answer or honest)(asked, self._chance):
            writer.write(piece)
            await writer.drain()
