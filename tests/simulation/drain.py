"""When every fault is healed and everything has caught up, the books have to be equal."""

from collections import Counter
from contextlib import closing
from decimal import Decimal

import orjson

from gateway.domain.event import SignalId
from gateway.domain.exception import ExceptionKind
from gateway.store.verify import verify
from tests.simulation.erp import Reply
from tests.simulation.line import COUNTERS, ITEMS, TOTAL
from tests.simulation.truth import Violation
from tests.simulation.world import World

_ROUNDS = 40
_SETTLED = 4  # rounds, until no counter is in doubt any more
_SOON, _LATER = 3_000, 20_000  # ms: between two readings, and until a window closes
_MORE = 500  # staged of what is short
_WAITING = (ExceptionKind.TRIGGER, ExceptionKind.BACKLOG)


def drain(world: World, *, thorough: bool) -> None:
    """Heal everything, let all catch up, compare; `thorough` has the store verify itself, too."""
    _heal(world)
    for number in range(_ROUNDS):
        world.pass_time(_SOON if number < _SETTLED else _LATER)
        _catch_up(world)
        if not (waits := _what_waits(world)):
            break
    else:
        raise Violation(f"it doesn't catch up: {waits}")
    world.acknowledge()
    _compare(world)
    if thorough:
        _verify(world)


def _heal(world: World) -> None:
    world.process.faults.heal()
    world.process.ack_faults.armed = ""
    if world.clock.wrong:
        world.set_clock(0)
    for machine in world.machines:
        machine.linked = True
        machine.unstick()
    for source in range(len(world.sources)):
        world.publish(source, 1)  # what was lost before it shows by this one


def _catch_up(world: World) -> None:
    world.arrive(0)
    for number in range(len(world.machines)):
        world.poll(number)
    for source in range(len(world.sources)):
        world.deliver(source, 20)
    world.run()
    _stage_what_is_short(world)
    world.ask_again()
    world.answer(Reply.BOOKED)
    world.pull(100)


def _stage_what_is_short(world: World) -> None:
    if world.process.running:
        waits = [one.reason for one in world.process.pipeline.writer.state.exceptions.values() if one.kind in _WAITING]
        for item, name in enumerate(ITEMS):
            if any(name in reason for reason in waits):
                world.stage(item, _MORE, 0)


def _what_waits(world: World) -> str:
    process = world.process
    if not process.running or process.failing:
        return "the gateway isn't running"
    state, end = process.pipeline.writer.state, process.pipeline.writer.state.head.seq
    believed = {one.id: world.truth.believed[one.id].made for machine in world.machines for one in machine.gauges}
    made = {one.id: one.made for machine in world.machines for one in machine.gauges}
    return "; ".join(
        (
            *(f"{one.id} is at {believed[one.id]} of {made[one.id]}" for one in _gauges(world) if _behind(world, one)),
            *(f"{one.signal} has messages" for one in world.sources if one.waits),
            *(f"exception {one.id}: {one.reason}" for one in state.exceptions.values() if one.kind in _WAITING),
            *(f"document {number} is open" for number in state.documents),
            *(f"staging {number} is not confirmed" for number in world.asked),
            *(f"{one.name} has {len(one.bodies)} of {end}" for one in _books(world) if len(one.bodies) < end),
        )
    )


def _gauges(world: World):
    return [one for machine in world.machines for one in machine.gauges]


def _behind(world: World, gauge) -> bool:
    stands = world.process.pipeline.writer.state.checkpoints[gauge.id]
    return world.truth.believed[gauge.id].made != gauge.made or stands.suspect is not None


def _books(world: World):
    return world.pushed.books, world.pulled.books


def _compare(world: World) -> None:
    if world.pushed.books.bodies != world.pulled.books.bodies:
        raise Violation("the two ERPs have different books")
    booked, keys, consumed = _booked(world)
    twice = [key for key, times in keys.items() if times > 1]
    if twice:
        raise Violation(f"booked twice: {twice}")
    held = _held(world)
    _compare_counters(world, booked, held)
    _compare_messages(world, keys, booked, held)
    _compare_lots(world, consumed)
    _compare_rejections(world)


def _booked(world: World) -> tuple[Counter, Counter, Counter]:
    """Return what the ERP has: quantity by signal, triggers by identity, consumption by lot."""
    booked, keys, consumed = Counter(), Counter(), Counter()
    for body in map(orjson.loads, world.pushed.books.bodies.values()):
        for one in body["triggers"]:
            signal = SignalId(one["device"], one["signal"])
            booked[signal] += Decimal(one["quantity"])
            keys[*signal, one["key"]] += 1
        for one in body["lines"]:
            if one["use"] == "consumed":
                consumed[one["owner"]["kind"], one["owner"]["name"], one["item"], one["lot"]] += Decimal(
                    one["quantity"]
                )
    return booked, keys, consumed


def _rows(world: World, sql: str) -> list[tuple]:
    with closing(world.process.store._connection.raw.execute(sql)) as found:
        return found.fetchall()


def _held(world: World) -> dict[SignalId, Decimal]:
    rows = _rows(world, "SELECT device, signal, held FROM tally")
    return {SignalId(device, signal): Decimal(held) for device, signal, held in rows}


def _compare_counters(world: World, booked: Counter, held: dict) -> None:
    for signal in COUNTERS:
        if signal == TOTAL:
            continue
        made, off = world.truth.made[signal], world.truth.off[signal]
        if held.get(signal, 0) != world.truth.held[signal]:
            raise Violation(f"{signal}: {held.get(signal, 0)} held, its exceptions say {world.truth.held[signal]}")
        if made - off != booked[signal] + held.get(signal, 0):
            told = f"{made} made, {off} of them unknown; {booked[signal]} booked, {held.get(signal, 0)} held"
            raise Violation(f"{signal}: {told}")


def _compare_messages(world: World, keys: Counter, booked: Counter, held: dict) -> None:
    for source in world.sources:
        signal, expected = source.signal, source.expected
        there = {_number(key) for device, name, key in keys if (device, name) == signal}
        if lost := expected.keys() - there:
            raise Violation(f"{signal}: never booked {sorted(lost)}")
        if unknown := there - expected.keys():
            raise Violation(f"{signal}: booked and never delivered {sorted(unknown)}")
        if len(there) < sum(times for key, times in keys.items() if key[:2] == signal):
            raise Violation(f"{signal}: booked one message under several keys")
        if booked[signal] != sum(expected.values()):
            raise Violation(f"{signal}: {booked[signal]} booked of {sum(expected.values())}")
        if held.get(signal, 0) != source.missing:
            raise Violation(f"{signal}: {held.get(signal, 0)} held, {source.missing} were lost")


def _number(key: str) -> str:
    """Return the machine's own number out of a key: what stands behind a slash would be ours."""
    return key.partition("/")[0]


def _compare_lots(world: World, consumed: Counter) -> None:
    rows = _rows(world, "SELECT owner_kind, owner, item, lot, staged, consumed FROM lot_balance")
    by_lot = {tuple(key): (Decimal(staged), Decimal(used)) for *key, staged, used in rows}
    staged = {(*key.owner, key.item, key.lot): quantity for key, quantity in world.staged.items()}
    for key in by_lot.keys() | staged.keys():
        if by_lot.get(key) != (staged.get(key), consumed[key]):
            said = f"{staged.get(key)} staged and {consumed[key]} issued by the books"
            raise Violation(f"lot {key}: {said}, the store has {by_lot.get(key)}")


def _compare_rejections(world: World) -> None:
    rows = dict(_rows(world, "SELECT seq, reason FROM sink_rejection"))
    if rows != world.pushed.rejected:
        raise Violation(f"rejected were {world.pushed.rejected}, dead letters are {rows}")


def _verify(world: World) -> None:
    failed = [one for one in verify(world.path).checks if not one.ok]
    if failed:
        raise Violation(f"gateway verify: {failed}")
