"""Prometheus metrics, read from the pipeline's state when they are asked for."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import NamedTuple

from prometheus_client import generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from gateway.domain.clock import UNTRUSTED
from gateway.domain.exception import ExceptionKind
from gateway.domain.health import Health, Link
from gateway.errors import StoreError
from gateway.pipeline.pipeline import Pipeline
from gateway.store.measures import VIEWS, Measures
from gateway.store.measuring import Measured
from gateway.store.views import Views

_PLACES = ("counted", "posted", "scrapped", "held", "reversed")


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
        yield self._exceptions()
        yield GaugeMetricFamily("backflush_windows_open", "Documents that still grow.", value=len(state.documents))
        yield GaugeMetricFamily("backflush_backlogs_open", "Rests still owed.", value=len(state.backlogs))
        yield from self._clock()
        yield GaugeMetricFamily(
            "backflush_intake_waiting", "Scans waiting in memory.", value=len(self._pipeline.intake)
        )
        yield CounterMetricFamily("backflush_commits", "Committed batches.", value=self._pipeline.writer.batches)
        yield GaugeMetricFamily("backflush_store_ok", "1 while batches commit.", value=not self._pipeline.failure)
        connected = GaugeMetricFamily("backflush_device_connected", "1 while connected.", labels=["device"])
        for device, health in self._devices().items():
            connected.add_metric([device], health.link in (Link.CONNECTED, Link.DEGRADED))
        yield connected

    def _exceptions(self) -> GaugeMetricFamily:
        found = Counter(one.kind for one in self._pipeline.writer.state.exceptions.values())
        entries = GaugeMetricFamily("backflush_exceptions_open", "Open work-list entries.", labels=["kind"])
        for kind in ExceptionKind:
            entries.add_metric([kind], found[kind])
        return entries

    def _clock(self) -> Iterator[GaugeMetricFamily]:
        clock = self._pipeline.writer.place.clock  # as of the last batch, a second ago at most
        trusted = clock.trust != UNTRUSTED
        yield GaugeMetricFamily("backflush_clock_trusted", "1 while the clock may be believed.", value=trusted)
        if clock.error_ms is not None:
            seconds = clock.error_ms / 1000
            yield GaugeMetricFamily("backflush_clock_error_seconds", "Estimated error of the clock.", value=seconds)

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


@dataclass(frozen=True, slots=True)
class MeasureCollector(Collector):
    """The measures as they were read; ratios are floats here, as Prometheus has them."""

    measures: Measures

    def collect(self) -> Iterator[Metric]:
        """Yield the families of one scrape."""
        for gauge in GAUGES:
            about = VIEWS[gauge.view]
            family = GaugeMetricFamily(f"backflush_{gauge.name}", gauge.text, labels=list(about))
            for row in self.measures.get(gauge.view, ()):
                if row[gauge.column] is not None:
                    family.add_metric([str(row[name]) for name in about], float(row[gauge.column]))
            yield family


class MeasureText:
    """The measures as Prometheus text, rendered once for each reading and beside the event loop: it may be long."""

    def __init__(self, views: Views) -> None:
        self._views = views
        self._measured: Measured | None = None
        self._text = b""

    async def current(self) -> bytes:
        """Return the text with the measures' age; nothing while the store can't be read and never could."""
        with suppress(StoreError):
            measured = await self._views.measured()
            if measured is not self._measured:
                self._text = await asyncio.to_thread(generate_latest, MeasureCollector(measured.measures))
                self._measured = measured
        return self._text + generate_latest(_Age(self._measured)) if self._measured else b""


@dataclass(frozen=True, slots=True)
class _Age(Collector):
    measured: Measured

    def collect(self) -> Iterator[Metric]:
        text = "How long ago the measures were read."
        yield GaugeMetricFamily("backflush_measures_age_seconds", text, value=self.measured.age)


@dataclass(frozen=True, slots=True)
class WaitingCollector(Collector):
    """What nobody could use, until a person looks at it."""

    letters: int
    refused: int

    @classmethod
    async def read(cls, views: Views) -> bytes:
        """Return it as Prometheus text, nothing while the store can't be read."""
        with suppress(StoreError):
            letters, buffers = await views.dead_letters(), await views.buffers()
            return generate_latest(cls(letters, sum(one.rejected for one in buffers)))
        return b""

    def collect(self) -> Iterator[Metric]:
        """Yield the families of one scrape."""
        yield GaugeMetricFamily("backflush_dead_letters_open", "Messages that can't be read.", value=self.letters)
        yield GaugeMetricFamily("backflush_refused_postings_open", "Postings that a sink refused.", value=self.refused)


def exposition(
    pipeline: Pipeline, devices: Callable[[], dict[str, Health]], views: Views, *own: Collector
) -> Callable[[], Awaitable[bytes]]:
    """Return a function that renders the current metrics as Prometheus text."""
    live, measured = PipelineCollector(pipeline, devices), MeasureText(views)

    async def render() -> bytes:
        beside = await measured.current()  # first: the pipeline's are as of now then
        now = b"".join(map(generate_latest, (live, *own)))
        return now + await WaitingCollector.read(views) + beside

    return render
