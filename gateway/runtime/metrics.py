"""Prometheus metrics, read from the pipeline's state when they are asked for."""

from collections.abc import Callable, Iterator

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from gateway.pipeline.pipeline import Pipeline
from gateway.ports import Health, Link

_PLACES = ("counted", "posted", "scrapped", "held")


class PipelineCollector(Collector):
    """Quantities are exact in the store; here they are floats, as Prometheus has them."""

    def __init__(self, pipeline: Pipeline, devices: Callable[[], dict[str, Health]]) -> None:
        self._pipeline = pipeline
        self._devices = devices

    def collect(self) -> Iterator[Metric]:
        """Yield the families of one scrape."""
        yield self._units()
        state = self._pipeline.writer.state
        yield GaugeMetricFamily("backflush_posting_seq", "Last posting of the log.", value=state.head.seq)
        yield GaugeMetricFamily("backflush_exceptions_open", "Open work-list entries.", value=len(state.exceptions))
        yield GaugeMetricFamily(
            "backflush_intake_waiting", "Scans waiting in memory.", value=len(self._pipeline.intake)
        )
        yield CounterMetricFamily("backflush_commits", "Committed batches.", value=self._pipeline.writer.batches)
        yield GaugeMetricFamily("backflush_store_ok", "1 while batches commit.", value=not self._pipeline.failure)
        connected = GaugeMetricFamily("backflush_device_connected", "1 while connected.", labels=["device"])
        for device, health in self._devices().items():
            connected.add_metric([device], health.link in (Link.CONNECTED, Link.DEGRADED))
        yield connected

    def _units(self) -> GaugeMetricFamily:
        units = GaugeMetricFamily("backflush_units", "Units by where they are.", labels=["device", "signal", "place"])
        for signal, tally in self._pipeline.writer.state.tallies.items():
            for place in _PLACES:
                units.add_metric([*signal, place], float(getattr(tally, place)))
        return units


def exposition(pipeline: Pipeline, devices: Callable[[], dict[str, Health]]) -> Callable[[], bytes]:
    """Return a function that renders the current metrics as Prometheus text."""
    registry = CollectorRegistry()
    registry.register(PipelineCollector(pipeline, devices))
    return lambda: generate_latest(registry)
