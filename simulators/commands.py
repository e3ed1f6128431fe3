"""Faults on request: one command a line on standard input, `FILLER-1 drop 5` or just `drop 5`."""

import asyncio
import sys
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from itertools import chain
from typing import Any

from simulators.line import Line

HELP = """\
commands on standard input, after the device's name if there are several (FILLER-1, CAPPER-1,
PACKER-1, SCALE-1, BROKER, ERP):
  reset [retentive]   power cycle: boot + 1, counters to 0 (or kept)
  preset N [SIGNAL]   set the counter
  swap N              another device with counter N in its place
  drop S              cut the link for S seconds
  silent S            accept connections but don't answer for S seconds
  bad S [SIGNAL]      status Bad for S seconds (OPC UA)
  stuck S [SIGNAL]    show the same value for S seconds while the machine goes on
  lie N S [SIGNAL]    show N for S seconds while the machine goes on
  skew S              the PLC's clock is S seconds ahead, or behind (OPC UA)
  torn                the next poll is torn (Modbus)
  refuse S            answer each poll with an exception for S seconds (Modbus)
  pause, resume       the machine, or the ERP as a whole
and without a name: stop (finish what is on the line, print "stopped"), quit\
"""

# what a command does; the arguments are the part it names and the words after it
ACTIONS: dict[str, Callable[[Any, list[str]], Awaitable[None]]] = {
    "reset": lambda part, words: part.reset(retentive="retentive" in words),
    "preset": lambda part, words: part.preset(int(words[0]), *words[1:]),
    "swap": lambda part, words: part.swap(int(words[0])),
    "drop": lambda part, words: part.link.drop(float(words[0])),
    "silent": lambda part, words: part.link.silent(float(words[0])),
    "bad": lambda part, words: part.bad_quality(float(words[0]), *words[1:]),
    "stuck": lambda part, words: part.stuck(float(words[0]), *words[1:]),
    "lie": lambda part, words: part.lie(int(words[0]), float(words[1]), *words[2:]),
    "skew": lambda part, words: part.skew(float(words[0])),
    "refuse": lambda part, words: part.refuse(float(words[0])),
    "torn": lambda part, _: _done(part.torn_once()),
}


class CommandError(Exception):
    """A line that says nothing this process can do."""


async def _done(_: None) -> None:
    return None


async def execute(line: Line, text: str) -> None:
    """Carry out one command; returns when its effect is over. Raises CommandError."""
    words = text.split()
    named = bool(words) and words[0].upper() in line.parts
    device = words.pop(0).upper() if named else next(iter(line.parts))
    if not words:
        raise CommandError(f"no command in {text!r}")
    command, *rest = words
    try:
        await _act(line, device, command, rest)
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise CommandError(f"{device} cannot do {text.strip()!r}: {error}") from error


async def _act(line: Line, device: str, command: str, rest: list[str]) -> None:
    if command not in {"pause", "resume"}:
        await ACTIONS[command](line.parts[device], rest)
    elif line.erp and device == line.erp.device:
        await (line.erp.pause() if command == "pause" else line.erp.resume())
    else:
        (line.pause if command == "pause" else line.resume)(device)


async def typed_lines(at_end: str = "") -> AsyncIterator[str]:
    """Lines from standard input, `at_end` when it ends; a daemon thread reads: it may be a file, pipe or terminal."""
    loop = asyncio.get_running_loop()
    lines: asyncio.Queue[str] = asyncio.Queue()

    def read() -> None:
        for text in chain(sys.stdin, (at_end,)):
            if loop.is_closed():
                return
            loop.call_soon_threadsafe(lines.put_nowait, text)

    threading.Thread(target=read, daemon=True, name="stdin").start()
    while True:
        yield await lines.get()
