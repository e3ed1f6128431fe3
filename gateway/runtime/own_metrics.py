"""How the gateway itself is, as Prometheus metrics: its disk, its commits, and the parts that fail."""

from collections.abc import Iterator
from dataclasses import dataclass

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from gateway.runtime.disk_watch import DiskWatch


@dataclass(frozen=True, slots=True)
class OwnCollector(Collector):
    """Reads the watch when asked; what the disk says is as of its last look."""

    watch: DiskWatch

    def collect(self) -> Iterator[Metric]:
        """Yield the families of one scrape."""
        pipeline = self.watch.pipeline
        paused = "1 while a full disk pauses the intake."
        yield GaugeMetricFamily("backflush_intake_paused", paused, value=pipeline.paused)
        latency = pipeline.writer.latency
        seconds = max(latency.last, latency.running)
        yield GaugeMetricFamily("backflush_commit_seconds", "Duration of the last commit.", value=seconds)
        tripped = GaugeMetricFamily(
            "backflush_part_tripped", "1 for a part that fails again and again.", labels=["part"]
        )
        for part in self.watch.supervisor.tripped():
            tripped.add_metric([part], 1)
        yield tripped
        if disk := self.watch.reading:
            yield GaugeMetricFamily("backflush_disk_free_bytes", "Room for the store.", value=disk.free)
            yield GaugeMetricFamily("backflush_store_bytes", "What the store holds, its log included.", value=disk.used)
            yield GaugeMetricFamily("backflush_wal_bytes", "Size of the write-ahead log.", value=disk.wal)
