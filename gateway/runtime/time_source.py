"""Who keeps the wall clock right, and what it says of it: the kernel's own state, or chrony."""

import asyncio
import ctypes
import os
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Protocol

from gateway.errors import TransientError

_TIMEOUT = 5.0  # seconds for chronyc to answer
_STA_UNSYNC = 0x40  # timex.status: nobody disciplines the clock
_TIME_ERROR = 5  # adjtimex: not synchronised, whatever the status says
_MICROSECONDS = 1000  # in a millisecond


@dataclass(frozen=True, slots=True)
class ClockReading:
    """The clock is synchronised, within `error_ms`. `evidence` is another one at each update of the source."""

    error_ms: int
    evidence: str = ""


class ClockSource(Protocol):
    """Asked every few seconds by the clock's watch."""

    name: str

    async def read(self) -> ClockReading:
        """Return what it says now; TransientError when the clock isn't synchronised, or can't be asked about."""
        ...


class _Timex(ctypes.Structure):
    """`struct timex` of adjtimex(2) on Linux, up to the fields that are read here."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),  # µs, grows by 500 ppm while nobody synchronises
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_char * 256),  # more than what is left of it on any architecture
    )


class KernelClock:
    """The kernel's state, whichever daemon set it. Setting the clock by hand makes it say unsynchronised."""

    name = "kernel"

    def __init__(self) -> None:
        self._adjtimex = ctypes.CDLL(None, use_errno=True).adjtimex

    async def read(self) -> ClockReading:
        """Return the kernel's bound of the error."""
        state = _Timex(modes=0)  # reads, sets nothing: needs no privilege
        result = self._adjtimex(ctypes.byref(state))
        if result < 0:
            raise TransientError(f"adjtimex: {os.strerror(ctypes.get_errno())}")
        if result == _TIME_ERROR or state.status & _STA_UNSYNC:
            raise TransientError("the kernel says that the clock is not synchronised")
        return ClockReading(-(-state.maxerror // _MICROSECONDS))


class ChronyClock:
    """What `chronyc -c tracking` says; the program has to be on PATH."""

    name = "chrony"

    async def read(self) -> ClockReading:
        """Return chrony's bound of the error: offset + root dispersion + half of the root delay."""
        return parse_tracking(await _chronyc())


def parse_tracking(answer: str) -> ClockReading:
    """Return what the line of `chronyc -c tracking` means.

    Its columns: reference id, name, stratum, reference time (s), system time (s off), last offset, RMS offset,
    frequency, residual frequency, skew, root delay (s), root dispersion (s), update interval, leap status.
    """
    columns = answer.strip().split(",")
    try:
        reference, leap = columns[3], columns[13]
        offset, delay, dispersion = (Decimal(columns[column]) for column in (4, 10, 11))
    except (IndexError, InvalidOperation) as error:
        raise TransientError(f"chronyc said {answer[:200]!r}") from error
    if leap == "Not synchronised" or not (offset + delay + dispersion).is_finite():
        raise TransientError("chrony says that the clock is not synchronised")
    bound = abs(offset) + dispersion + delay / 2
    return ClockReading(int(bound * 1000) + 1, reference)


async def _chronyc() -> str:
    try:
        process = await asyncio.create_subprocess_exec(
            *("chronyc", "-c", "tracking"),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
    except OSError as error:
        raise TransientError(f"chronyc can't be run: {error.strerror}") from error
    try:
        async with asyncio.timeout(_TIMEOUT):
            said, _ = await process.communicate()
    except TimeoutError as error:
        raise TransientError(f"chronyc did not answer within {_TIMEOUT:g} s") from error
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    answer = said.decode(errors="replace")
    if process.returncode:
        raise TransientError(f"chronyc failed: {answer.strip()[:200]}")
    return answer


SOURCES: dict[str, type[KernelClock] | type[ChronyClock]] = {"kernel": KernelClock, "chrony": ChronyClock}
