"""From the configuration to what the pipeline knows of each signal."""

from collections.abc import Iterator

from gateway.domain.event import SignalId
from gateway.domain.rule import TriggerRule
from gateway.pipeline.model import LineModel, Point
from gateway.settings.device import DeviceSettings, counter_of, events_of, signals_of
from gateway.settings.load import Config


def line_model(config: Config) -> LineModel:
    """Return every configured signal with its counter, rule and context signals, and the master data.

    In regulated mode nothing is activated yet: that takes a signature.
    """
    points = (point for device in config.devices.values() for point in _points(config, device))
    active = {line: config.master.active_order(line) for line in config.lines}
    return LineModel(
        points={point.id: point for point in points},
        master=config.master,
        active_orders=active,
        snapshot=config.snapshot,
        activated=not config.gateway.regulated,
        regulated=config.gateway.regulated,
        configuration=config.configuration_hash,
        shadow_rules={signal: tuple(rules) for signal, rules in _rules(config, shadow=True).items()},
    )


def _rules(config: Config, *, shadow: bool) -> dict[SignalId, list[TriggerRule]]:
    found: dict[SignalId, list[TriggerRule]] = {}
    for rule in config.rules:
        if rule.shadow is shadow:
            found.setdefault(rule.signal, []).append(rule)
    return found


def _points(config: Config, device: DeviceSettings) -> Iterator[Point]:
    live, shadows = _rules(config, shadow=False), _rules(config, shadow=True)
    for name, signal in signals_of(device).items():
        number = SignalId(device.device, name)
        rules = [*live.get(number, ()), *shadows.get(number, ())]
        yield Point(
            id=number,
            line=device.line,
            counter=counter_of(signal),
            epoch_signal=signal.counter.epoch if signal.counter else None,
            order_signal=next((one.order_signal for one in rules if one.order_signal), None),
            rule=live[number][0] if number in live else None,
            is_event=events_of(signal) is not None,
        )
