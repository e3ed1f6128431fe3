"""From what a protocol hands over to a sample: byte and word order, scaling, and what may be a count.

Nothing here raises for a device's mistake: it becomes the sample's status, and the counter keeps its last value.
"""

import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Context, Decimal
from typing import Final

from gateway.errors import DataError
from gateway.signals.sample import Sample

GOOD: Final = "Good"
_REGISTER = 2  # bytes
_FLOAT32_EXACT = 2**24  # from here on a float counter can't be raised by one
_FLOAT64_EXACT = 2**53
_ALL_DIGITS = Context(prec=1000)  # a float64 has up to 767 decimal digits, so no product with a scale is rounded


@dataclass(frozen=True, slots=True)
class NumberType:
    """How many bytes a number has, and how `struct` reads it."""

    code: str
    exact_below: int | None = None

    @property
    def registers(self) -> int:
        """Number of 16-bit registers it takes."""
        return struct.calcsize(self.code) // _REGISTER

    @property
    def counts(self) -> int:
        """How many values from 0 on it shows without a gap; a signed number's negative half counts nothing."""
        bits = 8 * struct.calcsize(self.code)
        return self.exact_below or 2 ** (bits - self.code[-1].islower())


TYPES: Final = {
    "int16": NumberType(">h"),
    "uint16": NumberType(">H"),
    "int32": NumberType(">i"),
    "uint32": NumberType(">I"),
    "int64": NumberType(">q"),
    "uint64": NumberType(">Q"),
    "float32": NumberType(">f", _FLOAT32_EXACT),
    "float64": NumberType(">d", _FLOAT64_EXACT),
}


def from_registers(registers: Sequence[int], number: str, byte_order: str) -> int | float:
    """Return the number in `registers` (16 bits each, as they came), `number` a key of TYPES.

    `byte_order` names the bytes of a 32-bit number as they lie in the device: ABCD is big-endian, CDAB has
    the low word first, BADC swaps the bytes within each word, DCBA is little-endian. 64 bits go the same way.
    """
    words = [register.to_bytes(_REGISTER, "big") for register in registers]
    if byte_order in ("CDAB", "DCBA"):
        words.reverse()
    if byte_order in ("BADC", "DCBA"):
        words = [word[::-1] for word in words]
    value: int | float = struct.unpack(TYPES[number].code, b"".join(words))[0]
    return exact_float(value, number) if isinstance(value, float) else value


def exact_float(value: float, number: str) -> float:
    """Return `value`, or infinity where a float of that type has begun to skip whole numbers: no count then."""
    limit = TYPES[number].exact_below
    return math.inf if limit is not None and abs(value) >= limit else value


def scaled(value: float, scale: Decimal) -> int | float | Decimal:
    """Return `value` × `scale`, exactly; what is no finite number stays what it is."""
    if scale == 1 or (isinstance(value, float) and not math.isfinite(value)):
        return value
    return _ALL_DIGITS.multiply(Decimal(value), scale)


def sample(
    signal: str,
    value: object,
    *,
    counts: bool,
    status: str = GOOD,
    source_time: datetime | None = None,
) -> Sample:
    """Return the sample of a raw `value`; one that can't be a count (or a context) has its reason as status."""
    if status != GOOD:
        return Sample(signal, None, status, source_time)
    try:
        return Sample(signal, as_count(value) if counts else as_context(value), GOOD, source_time)
    except DataError as error:
        return Sample(signal, None, f"Bad: {error.message}", source_time)


def as_count(value: object) -> int:
    """Return `value` as the whole number it is; DataError for anything else."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if not isinstance(value, float | Decimal):
        raise DataError(f"{value!r} is no count")
    if not -_FLOAT64_EXACT < value < _FLOAT64_EXACT:  # neither is NaN
        raise DataError(f"{value} is no count, or beyond what a float counts exactly")
    if value != int(value):
        raise DataError(f"{value} is no whole number")
    return int(value)


def as_context(value: object) -> int | str:
    """Return a boot id, an order or the like as whole number or text; DataError where there is nothing."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        raise DataError("there is no value")
    if isinstance(value, int):
        return int(value)  # True and False too: a context may be a single bit
    if isinstance(value, float | Decimal) and -_FLOAT64_EXACT < value < _FLOAT64_EXACT and value == int(value):
        return int(value)
    return str(value)
