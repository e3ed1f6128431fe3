"""The process image: the latest context values of each device (boot id, order), as a PLC person would say."""

from typing import NamedTuple

from gateway.domain.event import SignalId
from gateway.pipeline.model import Point
from gateway.signals.sample import Sample, Scan


class Context(NamedTuple):
    """What a device said of itself beside a counter reading; None where it doesn't say or can't be read."""

    epoch: str | None = None
    order: str | None = None


_SILENT = Context()


class ProcessImage:
    """In memory only: every connect reads it anew."""

    def __init__(self) -> None:
        self._values: dict[SignalId, str | None] = {}

    def update(self, scan: Scan, context_samples: list[Sample]) -> None:
        """Take over the scan's context values before its counters are judged."""
        for sample in context_samples:
            value = None if sample.value is None else str(sample.value)
            self._values[SignalId(scan.device, sample.signal)] = value or None

    def context(self, point: Point) -> Context:
        """Return what the point's device says at this moment."""
        if point.epoch_signal is None and point.order_signal is None:
            return _SILENT
        return Context(self._value(point, point.epoch_signal), self._value(point, point.order_signal))

    def _value(self, point: Point, signal: str | None) -> str | None:
        return self._values.get(SignalId(point.id.device, signal)) if signal else None
