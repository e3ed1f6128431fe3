"""What has to agree between devices, rules and lines. Each check is one function, listed at the end."""

from collections.abc import Iterator

from pydantic import BaseModel

from gateway.domain.event import EventKind
from gateway.settings.device import DeviceSettings, EventSettings, counter_of, events_of, signals_of
from gateway.settings.fault import Fault
from gateway.settings.masterdata import OrderSettings
from gateway.settings.parsed import Entry, Parsed, bills, named, twice, unknown, valid
from gateway.settings.triggers import RuleSettings

_COUNTED = {"good": EventKind.GOOD_UNITS, "scrap": EventKind.SCRAP_UNITS, "rework": EventKind.REWORK_UNITS}
# What a message has to carry for its event, besides its identity.
_CARRIED = {
    EventKind.LOT_ISSUED: ("item", "lot", "quantity"),
    EventKind.ORDER_STARTED: ("order",),
    EventKind.LOT_STAGED: ("item", "lot", "quantity"),
    EventKind.LOT_SCANNED: ("item", "lot"),
}


def _duplicates(parsed: Parsed) -> Iterator[Fault]:
    yield from twice("device", parsed.devices, "device")
    yield from twice("rule", parsed.rules, "trigger")


def _device_lines(parsed: Parsed) -> Iterator[Fault]:
    for entry, device in valid(parsed.devices):
        if device.line not in parsed.lines:
            yield entry.fault("line", message=unknown("line", device.line, parsed.lines))


def _sessions(parsed: Parsed) -> Iterator[Fault]:
    first: dict[str, Entry[DeviceSettings]] = {}
    for entry, device in valid(parsed.devices):
        other = first.setdefault(device.session, entry) if device.session else entry
        if other.name != entry.name:
            message = f"{device.session} is {other.name}'s, at {other.place}; one would throw the other out"
            yield entry.fault("client_id", message=message)


def _one_rule_a_signal(parsed: Parsed) -> Iterator[Fault]:
    first: dict[str, Entry[RuleSettings]] = {}
    for entry, rule in valid(parsed.rules):
        other = entry if rule.shadow else first.setdefault(rule.on, entry)
        if other is not entry:
            message = (
                f"{rule.on} has a rule already, {other.name} at {other.place}; its units would count twice "
                "(shadow: true tries a rule beside it)"
            )
            yield entry.fault("on", message=message)


def _rule_signals(parsed: Parsed) -> Iterator[Fault]:
    devices = named(parsed.devices)
    for entry, rule in valid(parsed.rules):
        name, signal = rule.signal
        if name not in devices:
            yield entry.fault("on", message=unknown("device", name, devices))
        elif device := devices[name].model:
            if signal not in signals_of(device):
                yield entry.fault("on", message=unknown(f"{name}'s signal", signal, signals_of(device)))
            else:
                yield from _fits(entry, rule, signals_of(device)[signal])
                yield from _order_source(entry, rule, device)


def _fits(entry: Entry[RuleSettings], rule: RuleSettings, signal: BaseModel) -> Iterator[Fault]:
    counter = counter_of(signal)
    if counter and counter.counts == "total":
        yield entry.fault("on", message=f"{rule.on} is a total: a cross-check that must have no rule")
        return
    if counter and rule.event != _COUNTED[counter.counts]:
        message = f"{rule.event!r} does not fit {rule.on}, which counts {counter.counts.value} units"
        yield entry.fault("event", message=f"{message}; write {_COUNTED[counter.counts]}")
    elif counter is None:
        yield from _carries(entry, rule, events_of(signal))


def _carries(entry: Entry[RuleSettings], rule: RuleSettings, paths: EventSettings | None) -> Iterator[Fault]:
    if paths is None:
        yield entry.fault("on", message=f"{rule.on} neither counts nor reports events; add a counter to the signal")
        return
    missing = [key for key in _CARRIED.get(EventKind(rule.event), ()) if getattr(paths, key) is None]
    if missing:
        example = f"{missing[0]}: $.{missing[0]}"
        message = (
            f"{rule.event} needs {', '.join(missing)} from {rule.on}; add a path to it there, for example {example}"
        )
        yield entry.fault("event", message=message)


def _order_source(entry: Entry[RuleSettings], rule: RuleSettings, device: DeviceSettings) -> Iterator[Fault]:
    signals = signals_of(device)
    if rule.order is None:
        return
    if rule.order.signal is not None:
        owner, _, shown = rule.order.signal.partition(".")
        if owner != device.device:
            message = f"{rule.order.signal} is of another device; the order is read in one scan with {rule.on}"
            yield entry.fault("order", "signal", message=message)
        elif shown not in signals:
            message = unknown(f"{device.device}'s signal", shown, signals)
            yield entry.fault("order", "signal", message=message)
    events = events_of(signals[rule.signal.signal])
    if rule.order.event is not None and (events is None or events.order is None):
        message = f"{rule.on} reports no order; add a path to it there, for example order: $.order"
        yield entry.fault("order", "event", message=message)


def _every_count_has_a_rule(parsed: Parsed) -> Iterator[Fault]:
    # Also those whose rule is wrong elsewhere. A shadow alone will do: who tries a scale says that nothing posts.
    ruled = {str(entry.raw("on")) for entry in parsed.rules}
    for entry, device in valid(parsed.devices):
        for name, signal in signals_of(device).items():
            counter = counter_of(signal)
            counts = counter.counts != "total" if counter else events_of(signal) is not None
            if counts and f"{device.device}.{name}" not in ruled:
                message = f"no rule in triggers.yaml is on {device.device}.{name}: its units would never be posted"
                yield entry.fault("signals", name, message=message)


def _signal_names(parsed: Parsed) -> Iterator[Fault]:
    for entry, device in valid(parsed.devices):
        for name in signals_of(device):
            if "." in name:
                yield entry.fault("signals", name, message="a signal's name has no dot; rules write DEVICE.signal")


def _epochs(parsed: Parsed) -> Iterator[Fault]:
    for entry, device in valid(parsed.devices):
        signals = signals_of(device)
        for name, signal in signals.items():
            epoch = signal.counter.epoch if signal.counter else None
            if epoch is not None and epoch not in signals:
                message = unknown(f"{device.device}'s signal", epoch, signals)
                yield entry.fault("signals", name, "counter", "epoch", message=message)


def _operations(parsed: Parsed) -> Iterator[Fault]:
    for entry, rule in valid(parsed.rules):
        working = _working(parsed, rule) if rule.operation else []
        found = [bill.model for order in working for bill in bills(parsed, order)]
        made = [bom for bom in found if bom]
        operations = [one for bom in made for one in bom.operations]
        known = {one.operation for one in operations}
        if len(made) < len(found) or not made:
            continue
        if rule.operation not in known:
            message = f"{rule.operation!r} is not in the BOM of order {', '.join(one.order for one in working)}"
            yield entry.fault("operation", message=f"{message}; it has {', '.join(sorted(known))}")
        elif not any(one.reporting_point for one in operations if one.operation == rule.operation):
            points = sorted({one.operation for one in operations if one.reporting_point})
            message = f"{rule.operation!r} is no reporting point, so nothing posts there; write {' or '.join(points)}"
            yield entry.fault("operation", message=message)


def _working(parsed: Parsed, rule: RuleSettings) -> list[OrderSettings]:
    """Return the orders that the rule's units may go to."""
    devices = named(parsed.devices)
    device = devices[rule.signal.device].model if rule.signal.device in devices else None
    orders = [one for _, one in valid(parsed.orders) if device and one.line == device.line]
    only_active = rule.order is not None and rule.order.signal is None and rule.order.event is None
    active = [one for one in orders if one.active and only_active]
    return active or [one for one in orders if one.active or one.status == "released"]


def _shifts(parsed: Parsed) -> Iterator[Fault]:
    devices = named(parsed.devices)
    shifted = {line.line for _, gateway in valid(parsed.gateway) for line in gateway.lines if line.shifts}
    for entry, rule in valid(parsed.rules):
        device = devices[rule.signal.device].model if rule.signal.device in devices else None
        if device and rule.cumulate and rule.cumulate.shift and parsed.gateway[0].model and device.line not in shifted:
            message = f"line {device.line} has no shifts; write them in gateway.yaml, for example [06:00, 14:00, 22:00]"
            yield entry.fault("cumulate", "shift", message=message)


# Each check with the files that have to be there for it.
CHECKS = (
    (_duplicates, frozenset[str]()),
    (_device_lines, frozenset({"gateway"})),
    (_sessions, frozenset[str]()),
    (_one_rule_a_signal, frozenset[str]()),
    (_rule_signals, frozenset({"devices"})),
    (_every_count_has_a_rule, frozenset({"triggers"})),
    (_signal_names, frozenset[str]()),
    (_epochs, frozenset[str]()),
    (_operations, frozenset({"devices", "masterdata"})),
    (_shifts, frozenset({"devices", "gateway"})),
)
