"""Request bodies made from the domain's own types: what a command says stands in one place.

A body is strict: unknown members are refused, quantities are decimal strings (never a binary float), times have a zone.
"""

from collections.abc import Iterator
from dataclasses import MISSING, fields, is_dataclass
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from functools import cache
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    create_model,
)
from pydantic_core import PydanticCustomError

from gateway.domain.clock import rfc3339
from gateway.domain.lot import Owner
from gateway.domain.signature import readable
from gateway.errors import DataError
from gateway.settings.base import Exact

LARGEST = 2**63 - 1  # SQLite's integers end there
_MOST_ENTRIES = 1000  # of a list
_NOW = "received_at"  # when a transfer came; left out: now
_OURS = frozenset({"staged_at", "scanned_at"})  # what the gateway says, never who asks
_SIGNED_NUMBERS = frozenset({"temperature", "reference_temperature", "temperature_coefficient"})
_MORE_THAN_NOTHING = frozenset(
    {"Staging.quantity", "ReturnLot.quantity", "IssueLot.quantity", "AllowOverrun.quantity", "Reverse.units"}
)


def utc(moment: datetime) -> datetime:
    """Return the same moment in UTC; ValueError where the year ends before."""
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("no such moment in UTC") from error


_PRINTED = r"^[^\x00-\x1f\x7f]*$"
Name = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=_PRINTED)]
Sentence = Annotated[str, StringConstraints(min_length=1, max_length=500), AfterValidator(readable)]


def _moment(value: object, read: ValidatorFunctionWrapHandler) -> datetime:
    try:
        found: datetime = read(value)
    except ValidationError as error:  # the library's own words are about characters and digits
        raise PydanticCustomError(
            "moment", "write a moment with its time zone, for example 2026-12-31T00:00:00Z"
        ) from error
    return found


Moment = Annotated[AwareDatetime, Field(strict=False), WrapValidator(_moment), AfterValidator(utc)]


class Body(BaseModel):
    """What every body has in common."""

    model_config = ConfigDict(extra="forbid", strict=True)


@cache
def body_of(kind: type) -> type[Body]:
    """Return the model of a dataclass or named tuple, member by member."""
    members: dict[str, Any] = {
        name: (_annotation(f"{kind.__name__}.{name}", hint, required=default is ...), _default(hint, default))
        for name, hint, default in _members(kind)
        if name not in _OURS
    }
    return create_model(kind.__name__, __base__=Body, __doc__=kind.__doc__, **members)


def built(kind: type, body: BaseModel, now: datetime) -> Any:
    """Return the domain's object that a valid body says, received `now` where it doesn't say; DataError after now."""
    values: dict[str, Any] = {}
    for name, hint, _ in _members(kind):
        if name == _NOW:
            values[name] = received(getattr(body, name), now)
        elif (given := getattr(body, name, None)) is not None:
            values[name] = _value(_optional(hint) or hint, given, now)
    return kind(**values)


def received(at: datetime | None, now: datetime) -> datetime:
    """Return when a transfer came: now where nothing is said; DataError where that is yet to come."""
    if at is not None and at > now:
        raise DataError(f"received_at: {rfc3339(at)} is yet to come", "leave it out where it comes now")
    return at or now


def _members(kind: Any) -> Iterator[tuple[str, Any, Any]]:
    """Yield (name, type, default), `...` where there is none."""
    hints = get_type_hints(kind)
    if is_dataclass(kind):
        defaults = {one.name: ... if one.default is MISSING else one.default for one in fields(kind)}
        yield from ((name, *_left_out(name, hints[name], default)) for name, default in defaults.items())
    else:
        yield from ((name, hints[name], kind._field_defaults.get(name, ...)) for name in kind._fields)


def _left_out(name: str, hint: Any, default: Any) -> tuple[Any, Any]:
    return (hint | None, None) if name == _NOW else (hint, default)


def _default(hint: Any, default: Any) -> Any:
    return None if _is_shape(hint) and default is not ... else default  # left out, the domain's own default stands


def _annotation(path: str, hint: Any, *, required: bool) -> Any:  # noqa: PLR0911  # a table of types
    name = path.rpartition(".")[2]
    if (inner := _optional(hint)) is not None:
        return _annotation(path, inner, required=True) | None
    if path == f"{Owner.__name__}.kind":
        return Literal["order", "line"]
    if get_origin(hint) is tuple:
        return Annotated[list[_annotation(path, get_args(hint)[0], required=True)], Field(max_length=_MOST_ENTRIES)]  # type: ignore[misc]  # made at run time
    if hint is Decimal:
        return _quantity(path, name)
    if hint is str:
        text = Sentence if name == "reason" else Name
        return text if required else text | Literal[""]
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return Annotated[hint, Field(strict=False)]
    if _is_shape(hint):
        return body_of(hint) if required else body_of(hint) | None
    return _SIMPLE[hint]


_SIMPLE: dict[Any, Any] = {datetime: Moment, bool: bool, int: Annotated[int, Field(ge=0, le=LARGEST)]}


def _quantity(path: str, name: str) -> Any:
    if name in _SIGNED_NUMBERS:
        return Exact
    return Annotated[Exact, Field(gt=0) if path in _MORE_THAN_NOTHING else Field(ge=0)]


def _value(hint: Any, given: Any, now: datetime) -> Any:
    if get_origin(hint) is tuple:
        return tuple(_value(get_args(hint)[0], one, now) for one in given)
    return built(hint, given, now) if _is_shape(hint) else given


def _optional(hint: Any) -> Any:
    """Return X of `X | None`, None for any other type."""
    if get_origin(hint) not in (UnionType, Union):
        return None
    return next(one for one in get_args(hint) if one is not type(None))


def _is_shape(hint: Any) -> bool:
    return isinstance(hint, type) and (is_dataclass(hint) or hasattr(hint, "_fields"))
