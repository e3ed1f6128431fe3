"""What has to agree between devices, rules and lines. Each check is one function, listed at the end."""

from collections.abc import Iterator

from pydantic import BaseModel

from gateway.domain.event import EventKind
from gateway.settings.device import DeviceSettings, counter_of, events_of, signals_of
from gateway.settings.fault import Fault
from gateway.settings.parsed import Entry, Parsed, named, twice, unknown, valid
from gateway.settings.triggers import RuleSettings

_COUNTED = {"good": EventKind.GOOD_UNITS, "scrap": EventKind.SCRAP_UNITS, "rework": EventKind.REWORK_UNITS}
_REPORTED = (EventKind.CASE_SEALED, EventKind.WEIGHED, EventKind.GOOD_UNITS, EventKind.SCRAP_UNITS)


def _duplicates(parsed: Parsed) -> Iterator[Fault]:
    yield from twice("device", parsed.devices, "device")
    yield from twice("rule", parsed.rules, "trigger")


def _lines_once(parsed: Parsed) -> Iterator[Fault]:
    for entry, gateway in valid(parsed.gateway):
        for key, names in (
            ("lines", [one.line for one in gateway.lines]),
            ("sinks", [one.sink for one in gateway.sinks]),
            ("consumers", [one.consumer for one in gateway.consumers]),
        ):
            for index, name in enumerate(names):
                if name in names[:index]:
                    yield entry.fault(key, index, message=f"{name} stands twice")


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
        other = first.setdefault(rule.on, entry)
        if other is not entry:
            message = f"{rule.on} has a rule already, {other.name} at {other.place}; its units would count twice"
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
    fitting = (_COUNTED[counter.counts],) if counter else _REPORTED if events_of(signal) else ()
    if not fitting:
        yield entry.fault("on", message=f"{rule.on} neither counts nor reports events; add a counter to the signal")
    elif rule.event not in fitting:
        what = f"counts {counter.counts.value} units" if counter else "reports events"
        message = f"{rule.event!r} does not fit {rule.on}, which {what}; write {' or '.join(fitting)}"
        yield entry.fault("event", message=message)


def _order_source(entry: Entry[RuleSettings], rule: RuleSettings, device: DeviceSettings) -> Iterator[Fault]:
    signals = signals_of(device)
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
    ruled = {entry.raw("on") for entry in parsed.rules}  # also those whose rule is wrong elsewhere
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


def _only_active(rule: RuleSettings) -> bool:
    """Whether the device names no order of its own."""
    return rule.order.signal is None and rule.order.event is None


def _epochs(parsed: Parsed) -> Iterator[Fault]:
    for entry, device in valid(parsed.devices):
        signals = signals_of(device)
        for name, signal in signals.items():
            epoch = signal.counter.epoch if signal.counter else None
            if epoch is not None and epoch not in signals:
                message = unknown(f"{device.device}'s signal", epoch, signals)
                yield entry.fault("signals", name, "counter", "epoch", message=message)


def _operations(parsed: Parsed) -> Iterator[Fault]:
    devices, boms = named(parsed.devices), named(parsed.boms)
    for entry, rule in valid(parsed.rules):
        device = devices[rule.signal.device].model if rule.signal.device in devices else None
        orders = [one for _, one in valid(parsed.orders) if device and one.line == device.line]
        active = [one for one in orders if one.active and _only_active(rule)]
        working = active or [one for one in orders if one.active or one.status == "released"]
        made = [boms[one.bill].model for one in working if one.bill in boms]
        known = {one.operation for bom in made if bom for one in bom.operations}
        if made and None not in made and rule.operation not in known:
            message = f"{rule.operation!r} is not in the BOM of order {', '.join(one.order for one in working)}"
            yield entry.fault("operation", message=f"{message}; it has {', '.join(sorted(known))}")


# Each check with the files that have to be there for it.
CHECKS = (
    (_duplicates, frozenset[str]()),
    (_lines_once, frozenset({"gateway"})),
    (_device_lines, frozenset({"gateway"})),
    (_sessions, frozenset[str]()),
    (_one_rule_a_signal, frozenset[str]()),
    (_rule_signals, frozenset({"devices"})),
    (_every_count_has_a_rule, frozenset({"triggers"})),
    (_signal_names, frozenset[str]()),
    (_epochs, frozenset[str]()),
    (_operations, frozenset({"devices", "masterdata"})),
)
