"""What every sink does, whatever its destination."""

import pytest

from gateway.errors import TransientError
from gateway.ports import Delivery
from tests.contract.sinks.conftest import DESTINATIONS, PLUGINS, Target, make_documents

ALL = frozenset({1, 2, 3})


def test_every_plugin_is_under_this_contract() -> None:
    kinds = {plugin.kind for plugin in PLUGINS}

    assert set(DESTINATIONS) == kinds


async def test_documents_are_delivered_with_their_identity_and_content(target: Target) -> None:
    delivery = await target.sink.deliver("G", "S", make_documents(1, 3))

    assert Delivery(ALL, {}) == delivery
    assert {("G", "S", seq): {"seq": seq, "quantity": f"{seq}.50"} for seq in (1, 2, 3)} == target.system.booked


async def test_delivering_again_is_harmless(target: Target) -> None:
    await target.sink.deliver("G", "S", make_documents(1, 2))

    delivery = await target.sink.deliver("G", "S", make_documents(1, 3))

    assert Delivery(ALL, {}) == delivery
    assert len(target.system.booked) == 3


async def test_the_same_seq_of_another_store_is_another_document(target: Target) -> None:
    await target.sink.deliver("G", "S", make_documents(1, 1))

    await target.sink.deliver("G", "T", make_documents(1, 1))

    assert {("G", "S", 1), ("G", "T", 1)} == set(target.system.booked)


async def test_a_refused_document_comes_back_with_its_reason_and_the_others_are_delivered(target: Target) -> None:
    target.system.refused[2] = "unknown item"

    delivery = await target.sink.deliver("G", "S", make_documents(1, 3))

    assert Delivery(frozenset({1, 3}), {2: "unknown item"}) == delivery


async def test_a_document_put_off_is_neither_delivered_nor_refused(target: Target) -> None:
    target.system.put_off.add(2)

    delivery = await target.sink.deliver("G", "S", make_documents(1, 3))

    assert Delivery(frozenset({1, 3}), {}) == delivery


async def test_a_destination_that_is_down_is_a_transient_error_and_up_again_it_takes_them(target: Target) -> None:
    await target.sink.deliver("G", "S", make_documents(1, 1))
    await target.system.stop()
    with pytest.raises(TransientError):
        await target.sink.deliver("G", "S", make_documents(2, 3))
    await target.system.start()

    delivery = await target.sink.deliver("G", "S", make_documents(2, 3))

    assert Delivery(frozenset({2, 3}), {}) == delivery
