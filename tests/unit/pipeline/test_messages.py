"""Event messages through the pipeline."""

from decimal import Decimal

import pytest

from gateway.counting.messages import Gap
from gateway.domain.exception import ExceptionKind
from gateway.pipeline import gaps
from gateway.signals.sample import Message, Sample, Scan
from tests.factories import make_event
from tests.unit.pipeline.plant import CASE, WEIGHT


async def test_a_message_posts_and_is_acknowledged(plant):
    receipt = await plant.send(id="c1", sscc="106141412345678908")
    await plant.turn()

    assert [receipt] == plant.drivers["PACKER-1"].acknowledged
    assert ("1", "1", "0", "0") == plant.tally(CASE)


async def test_a_weight_is_what_the_measured_component_took(plant):
    await plant.send(WEIGHT, id="w1", quantity=Decimal("6.307"), uom="kg")
    await plant.turn()

    assert [("DRINK", "6.307")] == await plant.rows("SELECT item, quantity FROM posting_line")
    assert ("6.307", "6.307", "0", "0") == plant.tally(WEIGHT)


async def test_the_order_of_the_message_comes_before_the_active_one(plant):
    await plant.send(id="c1", order="100099")
    await plant.turn()

    assert [("100099", "0030")] == [one.scope for one in plant.exceptions(ExceptionKind.TRIGGER)]


@pytest.mark.parametrize("turns", [True, False], ids=["across batches", "in one batch"])
async def test_a_message_that_comes_twice_counts_once_and_is_acknowledged_twice(plant, turns):
    receipts = [await plant.send(id="c1")]
    if turns:
        await plant.turn()
    receipts.append(await plant.send(id="c1"))
    await plant.turn()

    assert receipts == plant.drivers["PACKER-1"].acknowledged
    assert ("1", "1", "0", "0") == plant.tally(CASE)


@pytest.mark.parametrize("turns", [True, False], ids=["across batches", "in one batch"])
async def test_the_same_key_with_other_content_is_held_once(plant, turns):
    for quantity in (1, 2, 2, 2):
        await plant.send(id="c1", quantity=Decimal(quantity))
        if turns:
            await plant.turn()
    await plant.turn()

    assert [("conflict", Decimal(2))] == [(one.code, one.quantity) for one in plant.exceptions(ExceptionKind.COUNTER)]
    assert ("3", "1", "0", "2") == plant.tally(CASE)


async def test_a_contradiction_that_is_delivered_again_after_a_restart_is_known(plant):
    await plant.send(id="c1")
    await plant.send(id="c1", quantity=Decimal(2))
    await plant.turn()
    await plant.crash()
    receipt = await plant.send(id="c1", quantity=Decimal(2))
    await plant.turn()

    assert receipt == plant.drivers["PACKER-1"].acknowledged[-1]
    assert ("3", "1", "0", "2") == plant.tally(CASE)


async def test_a_retained_message_is_no_event(plant):
    receipt = await plant.send(id="c1", replay=True)
    await plant.turn()

    assert [receipt] == plant.drivers["PACKER-1"].acknowledged
    assert ("0", "0", "0", "0") == plant.tally(CASE)


async def test_a_message_without_a_usable_value_is_no_event(plant):
    await plant.pipeline.intake.put(Scan("PACKER-1", plant.clock.now(), (Sample("case_sealed", None, "Bad"),)))
    await plant.turn()

    assert [] == await plant.rows("SELECT * FROM event")


async def test_an_unreadable_message_is_kept_with_its_bytes_and_acknowledged(plant):
    receipt = await plant.send_unreadable()
    await plant.turn()

    assert [receipt] == plant.drivers["PACKER-1"].acknowledged
    assert [("PACKER-1", "line1/packer", b"{", "the payload is no JSON")] == await plant.rows(
        "SELECT device, source, payload, reason FROM dead_letter"
    )


async def test_what_could_be_read_beside_the_unreadable_part_counts(plant):
    await plant.send_unreadable(Sample("case_sealed", Message(id="c1")))
    await plant.turn()

    assert ("1", "1", "0", "0") == plant.tally(CASE)


async def test_messages_of_a_device_nobody_listens_to_are_dropped(plant):
    await plant.pipeline.intake.put(Scan("UNKNOWN-1", plant.clock.now(), receipt=1))
    await plant.turn()

    assert [] == await plant.rows("SELECT * FROM event")


async def test_missing_numbers_open_a_gap_that_counts_as_held(plant):
    for number in (1, 4):
        await plant.send(sequence=number)
    await plant.turn()
    gap = plant.exceptions(ExceptionKind.GAP)[0]

    assert (Decimal(2), 2, "PACKER-1.case_sealed lost messages 2 to 3: 2 units", '{"missing":[[2,3]]}') == (
        gap.quantity,
        gap.count,
        gap.reason,
        gap.detail,
    )
    assert ("4", "2", "0", "2") == plant.tally(CASE)


async def test_later_gaps_of_the_signal_join_the_open_one_and_all_are_named(plant):
    for number in (1, 3, 6, 8, 10, 12):
        await plant.send(sequence=number)
        await plant.turn()
    gap = plant.exceptions(ExceptionKind.GAP)[0]

    assert "PACKER-1.case_sealed lost message 2, messages 4 to 5, message 7, 2 more: 6 units" == gap.reason
    assert '{"missing":[[2,2],[4,5],[7,7],[9,9],[11,11]]}' == gap.detail


async def test_a_message_that_comes_late_shortens_the_gap(plant):
    for number in (1, 5, 3):
        await plant.send(sequence=number)
        await plant.turn()
    gap = plant.exceptions(ExceptionKind.GAP)[0]

    assert (Decimal(2), 2, '{"missing":[[2,2],[4,4]]}') == (gap.quantity, gap.count, gap.detail)
    assert ("5", "3", "0", "2") == plant.tally(CASE)


async def test_the_last_late_message_closes_the_gap(plant):
    for number in (1, 4, 3, 2):
        await plant.send(sequence=number)
        await plant.turn()

    assert [] == plant.exceptions(ExceptionKind.GAP)
    assert [("the missing messages came late", "gateway", "0")] == await plant.rows(
        "SELECT close_reason, closed_by, quantity FROM exception WHERE closed_at IS NOT NULL"
    )
    assert ("4", "4", "0", "0") == plant.tally(CASE)


async def test_a_gap_that_opens_and_closes_in_one_batch_leaves_nothing_held(plant):
    for number in (1, 3, 2, 5):
        await plant.send(sequence=number)
    await plant.turn()

    assert [Decimal(1)] == [one.quantity for one in plant.exceptions(ExceptionKind.GAP)]
    assert ("5", "4", "0", "1") == plant.tally(CASE)


async def test_a_late_message_of_an_earlier_loss_leaves_the_later_ones_missing(plant):
    for number in (1, 3, 5, 2):
        await plant.send(sequence=number, id=f"c{number}")
    await plant.turn()

    assert '{"missing":[[4,4]]}' == plant.exceptions(ExceptionKind.GAP)[0].detail


async def test_of_very_many_losses_the_newest_are_named(plant, monkeypatch):
    monkeypatch.setattr(gaps, "MOST_RANGES", 1)
    for number in (1, 3, 5, 2):
        await plant.send(sequence=number, id=f"c{number}")
    await plant.turn()

    assert '{"missing":[[4,4]]}' == plant.exceptions(ExceptionKind.GAP)[0].detail
    assert ("5", "4", "0", "1") == plant.tally(CASE)


async def test_a_late_message_of_a_gap_that_was_settled_is_only_posted(plant):
    work = plant.pipeline.writer.working_copy()
    gaps.came_late(work, make_event(), Gap(2, 2, Decimal(1)))

    assert {} == work.exceptions.changed


async def test_totals_say_how_much_was_lost(plant):
    for number, total in ((1, 10), (3, 30)):
        await plant.send(sequence=number, total=Decimal(total), quantity=Decimal(4))
    await plant.turn()

    assert ("24", "8", "0", "16") == plant.tally(CASE)


@pytest.mark.parametrize("late", [0, 30], ids=["less", "more"])
async def test_a_late_message_with_another_quantity_than_was_missing_still_balances(plant, late):
    await plant.send(sequence=1)
    await plant.send(sequence=4)
    await plant.turn()
    await plant.send(sequence=3, quantity=Decimal(late), total=Decimal(200))
    await plant.turn()
    await plant.send(sequence=2, quantity=Decimal(late), total=Decimal(100))
    await plant.turn()

    assert [] == plant.exceptions(ExceptionKind.GAP)
    assert (str(2 + 2 * late), str(2 + 2 * late), "0", "0") == plant.tally(CASE)


async def test_units_between_two_messages_that_only_a_total_shows_stay_held(plant):
    for total in (5, 9):
        await plant.send(id=f"c{total}", total=Decimal(total))
    await plant.turn()
    gap = plant.exceptions(ExceptionKind.GAP)[0]

    assert "PACKER-1.case_sealed lost units between two messages: 3 units" == gap.reason
    assert ("5", "2", "0", "3") == plant.tally(CASE)


async def test_a_device_that_numbers_anew_goes_on_counting(plant):
    for number in (7, 8):
        await plant.send(sequence=number)
    await plant.turn()
    plant.clock.advance(10)
    for number in (7, 9):
        await plant.send(sequence=number, anew=True)
        await plant.turn()
    await plant.send(sequence=8, anew=True)
    await plant.turn()

    assert ("5", "5", "0", "0") == plant.tally(CASE)


async def test_the_number_of_an_unstable_weight_is_not_missed(plant):
    for number, stable in ((1, True), (2, False), (3, True)):
        quantity = Decimal(1) if stable else Decimal(0)
        await plant.send(WEIGHT, id=f"w{number}", sequence=number, quantity=quantity, uom="kg", stable=stable)
    await plant.turn()

    assert [] == plant.exceptions(ExceptionKind.GAP)
    assert ("2", "2", "0", "0") == plant.tally(WEIGHT)


async def test_an_unstable_weight_that_comes_late_was_not_lost(plant):
    for number, stable in ((1, True), (3, True), (2, False), (2, False)):
        quantity = Decimal(1) if stable else Decimal(0)
        await plant.send(WEIGHT, id=f"w{number}", sequence=number, quantity=quantity, uom="kg", stable=stable)
    await plant.turn()

    assert [] == plant.exceptions(ExceptionKind.GAP)
    assert ("2", "2", "0", "0") == plant.tally(WEIGHT)


async def unsettled(plant, number, **more):
    nothing = {"quantity": Decimal(0), "stable": False}
    await plant.send(WEIGHT, **{"sequence": number, "uom": "kg", **nothing, **more})


async def weighed(plant, number, total, **more):
    await plant.send(WEIGHT, **{"id": f"w{number}", "sequence": number, "total": Decimal(total), "uom": "kg", **more})


@pytest.mark.parametrize(
    "said",
    [
        {"total": Decimal(10)},
        {"total": Decimal(10), "uom": ""},
        {"total": Decimal(10_000), "uom": "g"},
        {"total": Decimal(10), "uom": "bar"},
        {"uom": ""},
    ],
)
async def test_an_unstable_weight_makes_neither_a_letter_nor_a_gap(plant, said):
    await weighed(plant, 1, 10, quantity=Decimal(10))
    await plant.turn()
    await unsettled(plant, 2, **said)
    await weighed(plant, 3, 16, quantity=Decimal(6))
    await plant.turn()

    assert [] == plant.exceptions(ExceptionKind.GAP)
    assert [] == await plant.rows("SELECT reason FROM dead_letter")
    assert ("16", "16", "0", "0") == plant.tally(WEIGHT)


async def test_what_was_lost_before_an_unstable_weight_is_reckoned_in_the_signals_unit(plant):
    await weighed(plant, 1, 10, quantity=Decimal(10))
    await plant.turn()
    await unsettled(plant, 3, total=Decimal(16_000), uom="g")
    await weighed(plant, 4, 20, quantity=Decimal(4))
    await plant.turn()
    [gap] = plant.exceptions(ExceptionKind.GAP)

    assert ("SCALE-1.net_weight lost message 2: 6 kg", Decimal(6)) == (gap.reason, gap.quantity)
    assert ("20", "14", "0", "6") == plant.tally(WEIGHT)


async def test_an_unstable_weight_without_a_total_leaves_the_total_where_it_was(plant):
    await weighed(plant, 1, 10, quantity=Decimal(10))
    await unsettled(plant, 2)
    await weighed(plant, 4, 20, quantity=Decimal(4))
    await plant.turn()

    assert ["SCALE-1.net_weight lost message 3: 6 kg"] == [one.reason for one in plant.exceptions(ExceptionKind.GAP)]


async def test_what_is_lost_before_the_unit_is_known_does_not_become_the_signals_unit(plant):
    await unsettled(plant, 1, uom="")
    await unsettled(plant, 3, uom="")
    await weighed(plant, 4, 16, quantity=Decimal(6))
    await plant.turn()

    assert "kg" == plant.state.tallies[WEIGHT].uom
    assert ["SCALE-1.net_weight lost messages 2 to 3: 2 kg"] == [
        one.reason for one in plant.exceptions(ExceptionKind.GAP)
    ]


async def test_a_contradiction_without_a_unit_is_told_without_one(plant):
    for quantity in (1, 2):
        await plant.send(id="c1", quantity=Decimal(quantity))
    await plant.turn()

    assert plant.exceptions(ExceptionKind.COUNTER)[0].reason.endswith("sent c1 again with other content (2)")


async def test_a_weight_in_another_unit_is_added_in_the_signals_own(plant):
    await plant.send(WEIGHT, id="w1", quantity=Decimal("6.3"), uom="kg")
    await plant.turn()
    await plant.send(WEIGHT, id="w2", quantity=Decimal(250), uom="g")
    await plant.turn()

    assert ("6.55", "6.55", "0", "0") == plant.tally(WEIGHT)


async def test_a_quantity_that_has_no_way_to_the_signals_unit_is_set_aside(plant):
    await plant.send(WEIGHT, id="w1", quantity=Decimal("6.3"), uom="kg")
    await plant.turn()
    receipt = await plant.send(WEIGHT, id="w2", quantity=Decimal(3), uom="sack")
    await plant.turn()

    assert receipt == plant.drivers["SCALE-1"].acknowledged[-1]
    assert ("6.3", "6.3", "0", "0") == plant.tally(WEIGHT)
    reasons = await plant.rows("SELECT reason FROM dead_letter")
    assert ["no conversion from sack to kg"] == [reason[:29] for (reason,) in reasons]
