"""Calls for material when a balance falls to its reorder point."""

from decimal import Decimal

import orjson
import pytest

from gateway.domain.clock import UNTRUSTED, ClockTrust
from tests.factories import LINE
from tests.unit.pipeline.office import ORDER, make_packed, make_packers, office


def make_low(**changes):
    return make_packers(make_packed(item_facts={"CARTON-12": {"reorder_point": Decimal(20), **changes}}))


async def test_a_balance_that_falls_to_its_reorder_point_asks_once_for_more(tmp_path):
    async with office(tmp_path, make_low(reorder_quantity=Decimal(500)), {"quantity": "24"}) as plant:
        await plant.pack("4", "4")

        ((seq, body),) = await plant.rows("SELECT seq, body FROM posting WHERE posting_type = 'replenishment'")
        found = orjson.loads(body)
        assert (2, "replenishment") == (seq, found["kind"])
        assert ("20", "500") == (found["shortfall"]["left"], found["shortfall"]["quantity"])


async def test_it_asks_again_after_the_balance_rose(tmp_path):
    async with office(tmp_path, make_low(), {"quantity": "24"}) as plant:
        await plant.pack("8")
        await plant.put("S-2", "10", lot="C-2")
        await plant.pack("10")

        assert [(2,), (4,)] == await plant.rows("SELECT seq FROM posting WHERE posting_type = 'replenishment'")


async def asked_for(plant) -> list[str]:
    rows = await plant.rows("SELECT body FROM posting WHERE posting_type = 'replenishment' ORDER BY seq")
    return [orjson.loads(body)["shortfall"]["left"] for (body,) in rows]


@pytest.mark.parametrize("owner", [LINE, ORDER])
async def test_a_balance_that_is_low_from_the_start_asks_once(tmp_path, owner):
    async with office(tmp_path, make_low(), {"quantity": "10", "owner": owner}) as plant:
        await plant.pack("1", "9")
        await plant.put("S-2", "5", lot="C-2", owner=owner)
        await plant.pack("1")

        assert ["10"] == await asked_for(plant)


async def test_what_was_asked_for_is_known_after_a_restart(tmp_path):
    async with office(tmp_path, make_low(), {"quantity": "10"}) as plant:
        await plant.pack("1")
        await plant.crash()
        await plant.pack("1")

        assert ["10"] == await asked_for(plant)


async def test_nothing_is_asked_for_while_the_clock_is_not_trusted(tmp_path, monkeypatch):
    async with office(tmp_path, make_low()) as plant:
        with monkeypatch.context() as patch:
            patch.setattr(plant.clock, "trust", lambda: ClockTrust(UNTRUSTED, None, "not synchronised"))
            await plant.put("S-1", "10")
        await plant.pack("1")

        assert ["9"] == await asked_for(plant)


async def test_a_balance_that_falls_to_nothing_asks_for_its_owner(tmp_path):
    async with office(tmp_path, make_low(), {"quantity": "24", "owner": ORDER}) as plant:
        await plant.pack("24")

        ((order, body),) = await plant.rows("SELECT order_no, body FROM posting WHERE posting_type = 'replenishment'")
        assert ("100045", "0") == (order, orjson.loads(body)["shortfall"]["left"])
