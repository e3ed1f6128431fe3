"""From the configuration to what the pipeline knows of each signal."""

from collections.abc import Iterator

from gateway.domain.event import SignalId
from gateway.pipeline.model import LineModel, Point
from gateway.settings.device import DeviceSettings, counter_of, events_of, signals_of
from gateway.settings.load import Config


def line_model(config: Config) -> LineModel:
    """Return every configured signal with its counter, rule and context signals, and the master data."""
    points = (point for device in config.devices.values() for point in _points(config, device))
    active = {line: config.master.active_order(line) for line in config.lines}
    return LineModel({point.id: point for point in points}, config.master, active)


def _points(config: Config, device: DeviceSettings) -> Iterator[Point]:
    rules = {rule.signal: rule for rule in config.rules}
    for name, signal in signals_of(device).items():
        number = SignalId(device.device, name)
        rule = rules.get(number)
        yield Point(
            id=number,
            line=device.line,
            counter=counter_of(signal),
            epoch_signal=signal.counter.epoch if signal.counter else None,
            order_signal=rule.order_signal if rule else None,
            rule=rule,
            is_event=events_of(signal) is not None,
        )
