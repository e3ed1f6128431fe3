"""Prometheus metrics, read from the pipeline's state when they are asked for."""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from time import monotonic
from typing import NamedTuple

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from gateway.errors import StoreError
from gateway.pipeline.pipeline import Pipeline
from gateway.ports import Health, Link
from gateway.store.measures import VIEWS, Measures, measures
from gateway.store.views import Views

_PLACES = ("counted", "posted", "scrapped", "held", "reversed")
_FRESH = 15.0  # seconds that measures are shown before they are read again: Prometheus' usual interval


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


class Gauge(NamedTuple):
    """A measure's column as a gauge, labelled with what its rows are about."""

    name: str
    text: str
    view: str
    column: str


GAUGES = (
    Gauge("usage_variance_percent", "Usage ÷ standard of closed orders.", "usage_variance", "usage_percent"),
    Gauge("exceptions_per_1000_triggers", "Work-list entries ever.", "exception_rate", "per_1000_triggers"),
    Gauge("seconds_to_correct", "Mean time until an entry was closed.", "exception_rate", "mean_seconds_to_correct"),
    Gauge("bin_accuracy_percent", "Cycle counts that found what the books said.", "bin_accuracy", "accuracy_percent"),
    Gauge("genealogy_completeness_percent", "Received units with all components.", "genealogy_completeness", "percent"),
    Gauge("return_compliance_percent", "Rests of closed orders that were cleared.", "return_compliance", "percent"),
    Gauge("reversals_per_1000_postings", "Reversals ever.", "reversal_rate", "per_1000_postings"),
    Gauge("quality_ratio", "Good ÷ produced (ISO 22400).", "quality", "quality_ratio"),
    Gauge("scrap_ratio", "Scrap ÷ produced (ISO 22400).", "quality", "scrap_ratio"),
    Gauge("rework_ratio", "Rework ÷ produced (ISO 22400).", "quality", "rework_ratio"),
    Gauge("counted_minus_sealed", "Units counted but not sealed in cases.", "counted_against_sealed", "difference"),
    Gauge("fill_weight_give_away_percent", "Weighed beyond the standard.", "fill_weight", "percent"),
)


class MeasureCollector(Collector):
    """The measures as they were read last; ratios are floats here, as Prometheus has them."""

    def __init__(self, views: Views) -> None:
        self._views = views
        self._measures: Measures = {}
        self._read_at = -_FRESH

    async def refresh(self) -> None:
        """Read the measures again where they are old; a store that can't be read leaves them as they are."""
        if monotonic() - self._read_at >= _FRESH:
            with suppress(StoreError):
                self._measures = await self._views.read(measures)
            self._read_at = monotonic()

    def collect(self) -> Iterator[Metric]:
        """Yield the families of one scrape."""
        for gauge in GAUGES:
            about = VIEWS[gauge.view]
            family = GaugeMetricFamily(f"backflush_{gauge.name}", gauge.text, labels=list(about))
            for row in self._measures.get(gauge.view, ()):
                if row[gauge.column] is not None:
                    family.add_metric([str(row[name]) for name in about], float(row[gauge.column]))
            yield family


def exposition(
    pipeline: Pipeline, devices: Callable[[], dict[str, Health]], views: Views
) -> Callable[[], Awaitable[bytes]]:
    """Return a function that renders the current metrics as Prometheus text."""
    registry, measured = CollectorRegistry(), MeasureCollector(views)
    registry.register(PipelineCollector(pipeline, devices))
    registry.register(measured)

    async def render() -> bytes:
        await measured.refresh()
        return generate_latest(registry)

    return render
