import re
from decimal import Decimal

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.registry import Collector

from gateway.domain.clock import ClockTrust
from gateway.domain.line import Cumulation
from gateway.domain.order import Progress
from gateway.errors import StoreError
from gateway.runtime import metrics
from gateway.runtime.metrics import MeasureText, PipelineCollector
from gateway.store.batch import Batch
from gateway.store.store import Store
from gateway.store.views import Views
from tests.unit.pipeline.plant import Plant, make_model


@pytest.fixture
async def views(tmp_path):
    store = await Store.open(tmp_path / "gateway.db", "PLANT1-L1")
    await store.commit(Batch(progress={("100045", "0010"): Progress(Decimal(9), Decimal(1))}))
    opened = await Views.open(store.path)
    yield opened
    await opened.close()
    await store.close()


def rendered(collector: Collector) -> str:
    registry = CollectorRegistry()
    registry.register(collector)
    return generate_latest(registry).decode()


async def test_measures_are_gauges_labelled_with_what_they_are_about(views):
    text = (await MeasureText(views).current()).decode()

    assert 'backflush_quality_ratio{operation="0010",order_no="100045"} 0.9' in text


async def test_the_measures_say_how_old_they_are(views):
    text = (await MeasureText(views).current()).decode()

    (age,) = re.findall(r"^backflush_measures_age_seconds (\S+)$", text, re.MULTILINE)

    assert 0 <= float(age) < 60


async def test_measures_are_rendered_once_for_each_reading(views, monkeypatch):
    measures = MeasureText(views)
    await measures.current()
    monkeypatch.setattr(metrics, "MeasureCollector", None)

    text = (await measures.current()).decode()

    assert "backflush_quality_ratio{" in text


async def test_a_store_that_cannot_be_read_costs_only_the_measures(views, monkeypatch):
    async def fail():
        raise StoreError("disk I/O error")

    monkeypatch.setattr(views, "measured", fail)

    assert await MeasureText(views).current() == b""


@pytest.fixture
async def plant(tmp_path):
    """A line with an open window and a trigger that waits for cartons."""
    plant = Plant(tmp_path / "plant.db", make_model(cumulate=Cumulation(units=Decimal(100))))
    await plant.open()
    await plant.stage("S-1", "1000")
    plant.read(good=0)
    plant.read(good=5)
    await plant.send(id="c1")
    await plant.turn()
    yield plant
    await plant.close()


def scraped(plant) -> list[str]:
    return rendered(PipelineCollector(plant.pipeline, dict)).splitlines()


@pytest.mark.parametrize(
    "line",
    [
        'backflush_exceptions_open{kind="trigger"} 1.0',
        'backflush_exceptions_open{kind="backlog"} 0.0',
        "backflush_windows_open 1.0",
        "backflush_backlogs_open 0.0",
        "backflush_clock_trusted 1.0",
        "backflush_clock_error_seconds 0.0",
    ],
)
async def test_what_is_open_and_the_clock_are_gauges(plant, line):
    assert line in scraped(plant)


async def test_a_clock_of_unknown_error_says_only_that_it_is_not_trusted(plant, monkeypatch):
    monkeypatch.setattr(plant.clock, "trust", lambda: ClockTrust("none", None, "never synchronised"))
    await plant.turn()

    assert ["backflush_clock_trusted 0.0"] == [one for one in scraped(plant) if one.startswith("backflush_clock")]
