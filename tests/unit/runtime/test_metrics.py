from decimal import Decimal

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from gateway.domain.order import Progress
from gateway.errors import StoreError
from gateway.runtime.metrics import MeasureCollector
from gateway.store.batch import Batch
from gateway.store.store import Store
from gateway.store.views import Views


@pytest.fixture
async def views(tmp_path):
    store = await Store.open(tmp_path / "gateway.db", "PLANT1-L1")
    await store.commit(Batch(progress={("100045", "0010"): Progress(Decimal(9), Decimal(1))}))
    opened = await Views.open(store.path)
    yield opened
    await opened.close()
    await store.close()


def rendered(collector: MeasureCollector) -> str:
    registry = CollectorRegistry()
    registry.register(collector)
    return generate_latest(registry).decode()


async def test_measures_are_gauges_labelled_with_what_they_are_about(views):
    collector = MeasureCollector(views)
    await collector.refresh()

    assert 'backflush_quality_ratio{operation="0010",order_no="100045"} 0.9' in rendered(collector)


async def test_measures_are_read_once_in_a_while(views, monkeypatch):
    collector = MeasureCollector(views)
    await collector.refresh()
    monkeypatch.setattr(views, "read", None)

    await collector.refresh()

    assert "backflush_quality_ratio{" in rendered(collector)


async def test_a_store_that_cannot_be_read_costs_only_the_measures(views, monkeypatch):
    async def fail(_):
        raise StoreError("disk I/O error")

    monkeypatch.setattr(views, "read", fail)
    collector = MeasureCollector(views)
    await collector.refresh()

    assert "backflush_quality_ratio{" not in rendered(collector)
