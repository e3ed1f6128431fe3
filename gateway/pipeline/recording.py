"""What the engine is told beside the events, as JSON: with the events it is all that a replay needs.

Kinds: `tick` (each unit of work happens at one moment), `command`, `activation`, `gap`, `notice`, `baseline`,
`entry` (of the journal: a unit of work that begins with one is of a dead letter or a refused posting).
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, NamedTuple, get_args

import orjson
from pydantic import TypeAdapter

from gateway.counting.counter import Baseline
from gateway.counting.messages import Gap
from gateway.domain.clock import ClockTrust
from gateway.domain.command import Command
from gateway.domain.event import Event, SignalId
from gateway.domain.lot import Staging
from gateway.domain.masterdata import MasterData
from gateway.domain.quantity import text
from gateway.domain.rule import TriggerRule
from gateway.domain.signature import Author
from gateway.formats.canonical import Place
from gateway.pipeline.model import LineModel, Point

_COMMANDS: dict[str, type] = {one.__name__: one for one in get_args(Command)}


class Given(NamedTuple):
    """A recorded command with its author; `refused` is why it wasn't even tried, empty where it was."""

    command: Command
    author: Author
    refused: str = ""


class RuledSignal(NamedTuple):
    """A signal that can make events, and what becomes of them."""

    signal: SignalId
    line: str
    rule: TriggerRule | None
    shadows: tuple[TriggerRule, ...]


def dumped(content: Mapping[str, Any]) -> bytes:
    """Return an input's content as JSON."""
    return orjson.dumps(content)


def tick(place: Place, retried: int | None = None) -> dict[str, Any]:
    """Return what the clock said when a unit of work began; `retried` is the exception that it tries again."""
    clock = place.clock
    why = {"reason": clock.reason} if clock.reason else {}
    what = {"retried": retried} if retried is not None else {}
    return {"at": place.posted_at.isoformat(), "trust": clock.trust, "error_ms": clock.error_ms, **why, **what}


def read_tick(content: Mapping[str, Any]) -> tuple[datetime, ClockTrust]:
    """Return the moment and the clock's trust of a recorded tick."""
    trust = ClockTrust(content["trust"], content["error_ms"], content.get("reason", ""))
    return datetime.fromisoformat(content["at"]), trust


def activation(model: LineModel, stagings: Sequence[Staging]) -> dict[str, Any]:
    """Return a configuration that came into force, with the stagings that came with it.

    Its master data are named by their hash: the store keeps their content. How signals are read and counted is left
    out, a replay begins behind that.
    """
    return {
        "configuration": model.configuration,
        "activated": model.activated,
        "regulated": model.regulated,
        "master_data": model.master.hash,
        "active_orders": dict(model.active_orders),
        "rules": _RULES.dump_python(rules_of(model), mode="json"),
        "stagings": _STAGINGS.dump_python(tuple(stagings), mode="json"),
    }


def rules_of(model: LineModel) -> tuple[RuledSignal, ...]:
    """Return the signals that can make events, with their rules, by name."""
    found = (one for _, one in sorted(model.points.items()) if not one.is_context)
    return tuple(RuledSignal(one.id, one.line, one.rule, tuple(model.shadow_rules.get(one.id, ()))) for one in found)


def read_activation(content: Mapping[str, Any], master: MasterData, snapshot: bytes) -> LineModel:
    """Return the model of a recorded activation; its stagings are the master data's."""
    rules = _RULES.validate_python(content["rules"])
    return LineModel(
        points={one.signal: Point(one.signal, one.line, rule=one.rule, is_event=True) for one in rules},
        master=replace(master, stagings=read_stagings(content)),
        active_orders=content["active_orders"],
        snapshot=snapshot,
        activated=content["activated"],
        regulated=content.get("regulated", False),  # what older versions recorded knew no rule that asks
        configuration=content["configuration"],
        shadow_rules={one.signal: one.shadows for one in rules if one.shadows},
    )


def read_stagings(content: Mapping[str, Any]) -> tuple[Staging, ...]:
    """Return the stagings that came with a recorded activation."""
    return _STAGINGS.validate_python(content["stagings"])


def command(given: Command, author: Author, refused: str = "") -> dict[str, Any]:
    """Return a command as it was given."""
    name = type(given).__name__
    return {
        "command": name,
        "body": _adapter(name).dump_python(given, mode="json"),
        "author": _AUTHOR.dump_python(author, mode="json"),
        "refused": refused,
    }


def read_command(content: Mapping[str, Any]) -> Given:
    """Return a recorded command."""
    name = content["command"]
    body = _adapter(name).validate_python(content["body"])
    return Given(body, _AUTHOR.validate_python(content["author"]), content["refused"])


def gap(event: Event, missing: Gap, *, late: bool) -> dict[str, Any]:
    """Return what a source lost before the event, or what the event is of what was lost before."""
    return {
        "device": event.signal.device,
        "signal": event.signal.signal,
        "uom": event.uom,
        "at": event.source_time.isoformat(),
        "first": missing.first,
        "last": missing.last,
        "quantity": text(missing.quantity),
        "doubt": missing.doubt,
        "late": late,
    }


def read_gap(content: Mapping[str, Any]) -> tuple[SignalId, str, datetime, Gap]:
    """Return a recorded gap: its signal, unit, time, and what was lost or came late."""
    missing = Gap(content["first"], content["last"], Decimal(content["quantity"]), content.get("doubt", ""))
    at = datetime.fromisoformat(content["at"])
    return SignalId(content["device"], content["signal"]), content["uom"], at, missing


def notice(signal: SignalId, code: str, reason: str, at: datetime) -> dict[str, Any]:
    """Return what a person should know of a signal."""
    return {"device": signal.device, "signal": signal.signal, "code": code, "reason": reason, "at": at.isoformat()}


def baseline(signal: SignalId, began: Baseline) -> dict[str, Any]:
    """Return where a counter began; the value is a string, it may exceed 64 bits."""
    where = {"device": signal.device, "signal": signal.signal}
    return {**where, "value": str(began.value), "epoch": began.epoch, "at": began.at.isoformat()}


def read_baseline(content: Mapping[str, Any]) -> Baseline:
    """Return a recorded baseline."""
    return Baseline(int(content["value"]), content["epoch"], datetime.fromisoformat(content["at"]))


def entry(name: str, said: Mapping[str, Any]) -> dict[str, Any]:
    """Return an entry of the journal that nothing else in the recording brings about."""
    return {"name": name, "said": dict(said)}


@lru_cache(maxsize=64)
def _adapter(name: str) -> TypeAdapter[Any]:
    return TypeAdapter(_COMMANDS[name])


_AUTHOR = TypeAdapter(Author)
_RULES = TypeAdapter(tuple[RuledSignal, ...])
_STAGINGS = TypeAdapter(tuple[Staging, ...])
