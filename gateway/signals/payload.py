"""From the bytes of one JSON message to a sample, by JSON paths (RFC 9535) that were compiled once.

Every number is read as the decimal it is written as. DataError names the path and the value.
"""

import json
import re
import reprlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

import jsonpath

from gateway.domain.quantity import ZERO, parse_quantity
from gateway.errors import DataError
from gateway.signals.decode import as_context, as_count
from gateway.signals.sample import Message, Sample

_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)")
_LONGEST_TEXT = 200  # an id, order, SSCC or unit: anything longer is something else
_SHOWN = 80
_LONGEST_NUMBER = 1000  # digits of a whole number
_ROUNDED = "`decimals: 3` beside the event's paths rounds its quantities to so many"


class _Brief(reprlib.Repr):
    """As JSON says it, and briefly: repr() itself would recurse as deep as what a stranger nested."""

    def repr_bool(self, value: bool, _level: int) -> str:
        return "true" if value else "false"

    def repr_NoneType(self, _value: None, _level: int) -> str:  # noqa: N802 - the name reprlib looks for
        return "null"

    def repr_Decimal(self, value: Decimal, _level: int) -> str:  # noqa: N802 - the name reprlib looks for
        return str(value)


_brief = _Brief()
_brief.maxstring = _brief.maxlong = _brief.maxother = _SHOWN + 1
_KINDS = {
    bool: "true or false",
    type(None): "null",
    int: "a number",
    Decimal: "a number",
    str: "a text",
    list: "a list",
}


@dataclass(frozen=True, slots=True)
class Path:
    """A compiled path to one place in a document."""

    text: str
    compiled: jsonpath.JSONPath

    @classmethod
    def compile(cls, text: str) -> "Path":
        """Return the path; DataError when it is none, or could find several places."""
        try:
            compiled = jsonpath.compile(text) if text.startswith("$") else None
        except jsonpath.JSONPathError as error:
            raise DataError(f"{text!r} is no JSON path: {error}".splitlines()[0]) from error
        if not isinstance(compiled, jsonpath.JSONPath) or not compiled.singular_query():
            raise DataError(f"{text!r} is no JSON path to one value", "write for example $.id or $.case.sscc")
        return cls(text, compiled)

    def find(self, document: Any) -> Any:
        """Return what stands there, None where nothing does."""
        match = self.compiled.match(document)
        return None if match is None else match.obj

    def need(self, document: Any) -> Any:
        """Return what stands there; DataError where nothing does."""
        value = self.find(document)
        if value is None:
            raise DataError(f"{self.text} is missing")
        return value

    def refuse(self, value: object, why: str) -> DataError:
        """Return the error that names this path and the value."""
        shown = _brief.repr(value)
        return DataError(f"{self.text}: {shown[:_SHOWN] + '…' if len(shown) > _SHOWN else shown} {why}")


@dataclass(frozen=True, slots=True)
class EventPaths:
    """Where an event message carries what; the names are those of the settings."""

    id: Path | None = None
    sequence: Path | None = None
    total: Path | None = None
    time: Path | None = None
    quantity: Path | None = None
    uom: Path | None = None
    order: Path | None = None
    sscc: Path | None = None
    units: Path | None = None
    stable: Path | None = None
    item: Path | None = None
    lot: Path | None = None
    location: Path | None = None
    bom_line: Path | None = None
    expires_at: Path | None = None
    supplier: Path | None = None
    line: Path | None = None
    temperature: Path | None = None
    decimals: int | None = None  # of quantities; None: each digit counts

    @classmethod
    def compile(cls, paths: Mapping[str, str | None], decimals: int | None = None) -> "EventPaths":
        """Return the compiled paths of those that are configured; DataError names the first bad one."""
        return cls(**{name: Path.compile(text) for name, text in paths.items() if text is not None}, decimals=decimals)


def parse(payload: bytes) -> dict[str, Any]:
    """Return the JSON object in `payload`, its numbers as int and Decimal."""
    try:
        document = json.loads(payload, parse_float=Decimal, parse_int=_whole_number, parse_constant=_no_number)
    except UnicodeDecodeError as error:
        raise DataError(f"the payload is no JSON: its byte {error.start} is no text in {error.encoding}") from error
    except ValueError as error:
        raise DataError(f"the payload is no JSON: {error}") from error
    except RecursionError as error:
        raise DataError("the payload is nested too deeply") from error
    except InvalidOperation as error:
        raise DataError("the payload has a number whose exponent is beyond all bounds") from error
    if not isinstance(document, dict):
        raise DataError(f"the payload is {_KINDS[type(document)]}, not an object")
    return document


def _whole_number(digits: str) -> int:
    if len(digits) > _LONGEST_NUMBER:
        raise DataError(f"the payload has a number of more than {_LONGEST_NUMBER} digits")
    return int(digits)


def _no_number(constant: str) -> object:
    raise ValueError(f"{constant} is no JSON number")


def event(signal: str, document: Mapping[str, Any], paths: EventPaths) -> Sample | None:
    """Return the sample of an event message, None when it is a weight that isn't stable yet and has no number."""
    if paths.stable is not None and not _flag(paths.stable, document):
        return _unstable(signal, document, paths)
    decimals = paths.decimals
    message = Message(
        id=None if paths.id is None else _identity(paths.id, document),
        sequence=None if paths.sequence is None else _whole(paths.sequence, document),
        total=None if paths.total is None else _quantity(paths.total, document, decimals),
        quantity=Decimal(1) if paths.quantity is None else _quantity(paths.quantity, document, decimals),
        uom="" if paths.uom is None else _text(paths.uom, paths.uom.need(document)),
        # A device without an order, or a carton whose label could not be read, says null or nothing.
        order=_said(paths.order, document),
        sscc=None if paths.sscc is None or (code := paths.sscc.find(document)) is None else _text(paths.sscc, code),
        units=None if paths.units is None else _quantity(paths.units, document, decimals),
        item=_said(paths.item, document),
        lot=_said(paths.lot, document),
        location=_said(paths.location, document) or "",
        bom_line=_said(paths.bom_line, document) or "",
        expires_at=None if paths.expires_at is None else _time(paths.expires_at, document),
        supplier=_said(paths.supplier, document) or "",
        line=_said(paths.line, document),
        temperature=_temperature(paths.temperature, document, decimals),
    )
    return Sample(signal, message, source_time=None if paths.time is None else _time(paths.time, document))


def _unstable(signal: str, document: Mapping[str, Any], paths: EventPaths) -> Sample | None:
    """Return the message's number, with the total it leaves: passed over, it would look like a lost message."""
    if paths.sequence is None or paths.sequence.find(document) is None:
        return None
    has_total = paths.total is not None and paths.total.find(document) is not None
    message = Message(
        sequence=_whole(paths.sequence, document),
        total=_quantity(paths.total, document, paths.decimals) if paths.total and has_total else None,
        quantity=ZERO,
        uom=_said(paths.uom, document) or "",
        stable=False,
    )
    return Sample(signal, message, source_time=None if paths.time is None else _time(paths.time, document))


def value(signal: str, document: Mapping[str, Any], path: Path, *, counts: bool) -> Sample:
    """Return the sample of a counter or context value that a message carries."""
    found = path.need(document)
    if isinstance(found, dict | list):
        raise path.refuse(found, "is no single value")
    try:
        read = as_count(found) if counts else as_context(found)
    except DataError as error:
        raise path.refuse(found, "is no whole number") from error
    return Sample(signal, _text(path, read) if isinstance(read, str) else read)


def _flag(path: Path, document: Mapping[str, Any]) -> bool:
    found = path.need(document)
    if not isinstance(found, bool):
        raise path.refuse(found, "is neither true nor false")
    return found


def _said(path: Path | None, document: Mapping[str, Any]) -> str | None:
    """Return the name that stands there, None where the message has none."""
    return None if path is None or path.find(document) in (None, "") else _identity(path, document)


def _temperature(path: Path | None, document: Mapping[str, Any], decimals: int | None) -> Decimal | None:
    if path is None or path.find(document) is None:
        return None  # whoever needs it says so, and holds the units
    return _number(path, document, decimals)


def _identity(path: Path, document: Mapping[str, Any]) -> str:
    found = path.need(document)
    is_number = isinstance(found, int) and not isinstance(found, bool)
    return _text(path, str(found) if is_number else found)


def _text(path: Path, found: object) -> str:
    if not isinstance(found, str) or not found.strip():
        raise path.refuse(found, "is no text")
    if len(found) > _LONGEST_TEXT:
        raise path.refuse(found, f"is longer than {_LONGEST_TEXT} characters")
    try:
        found.encode()
    except UnicodeEncodeError as error:  # half a surrogate pair is JSON, but no text
        raise path.refuse(found, "is no Unicode text") from error
    return found


def _quantity(path: Path, document: Mapping[str, Any], decimals: int | None) -> Decimal:
    quantity = _number(path, document, decimals)
    if quantity < 0:
        raise path.refuse(path.find(document), "is negative")
    return quantity


def _number(path: Path, document: Mapping[str, Any], decimals: int | None) -> Decimal:
    found = path.need(document)
    if isinstance(found, bool | dict | list):
        raise path.refuse(found, "is no number")
    try:
        return parse_quantity(found, decimals)
    except DataError as error:
        too_fine = isinstance(found, Decimal) and not error.hint  # as floats add up: 190.67000000000002
        raise DataError(f"{path.text}: {error.message}", _ROUNDED if too_fine else error.hint) from error


def _whole(path: Path, document: Mapping[str, Any]) -> int:
    quantity = _quantity(path, document, None)
    if quantity != int(quantity):
        raise path.refuse(path.find(document), "is no whole number")
    return int(quantity)


def _time(path: Path, document: Mapping[str, Any]) -> datetime | None:
    found = path.find(document)
    if found is None:
        return None
    if not isinstance(found, str) or not _RFC3339.fullmatch(found):
        raise path.refuse(found, "is no RFC 3339 time with its offset, as in 2026-11-21T10:00:00.870Z")
    try:
        return datetime.fromisoformat(found.upper()).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise path.refuse(found, "is no point in time") from error
