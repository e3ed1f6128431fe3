"""Letters whose messages are missing: read again, they shorten the gap that they left."""

from dataclasses import replace
from decimal import Decimal

from gateway.counting.messages import Watermark
from gateway.domain.command import CloseException, RedriveLetter, SettleHold
from gateway.domain.exception import ExceptionKind
from gateway.signals.sample import Message, Sample, Scan
from tests.property.replaying import replayed
from tests.unit.pipeline.office import Office
from tests.unit.pipeline.plant import CASE
from tests.unit.pipeline.test_letters import bodies, cases, packing, unread


async def test_the_gap_that_the_letter_left_closes(tmp_path):
    async with packing(tmp_path) as shop:
        await cases(shop, 1)
        await unread(shop, id="c-2", seq=2)
        await cases(shop, 3)
        (gap,) = shop.exceptions(ExceptionKind.GAP)
        assert ("3", "2", "0", "1") == shop.tally(CASE)
        await shop.ask(RedriveLetter(1))

        assert [("the missing messages came late",)] == await shop.rows(
            f"SELECT close_reason FROM exception WHERE id = {gap.id}"
        )
        assert ("3", "3", "0", "0") == shop.tally(CASE)


async def test_letters_of_a_long_gap_shorten_it_in_any_order(tmp_path):
    async with packing(tmp_path) as shop:
        await cases(shop, 1)
        for number in (2, 3, 4):
            await unread(shop, id=f"c-{number}", seq=number)
        await cases(shop, 5)
        for letter, left in ((3, 2), (1, 1)):
            await shop.ask(RedriveLetter(letter))
            assert [Decimal(left)] == [one.quantity for one in shop.exceptions(ExceptionKind.GAP)]
        await shop.ask(RedriveLetter(2))

        assert [] == shop.exceptions(ExceptionKind.GAP)
        assert ("5", "5", "0", "0") == shop.tally(CASE)


async def weighed(shop: Office, number: int, total: int) -> None:
    """Have the packer count a case of four by its total alone."""
    shop.clock.advance(1)
    message = Message(id=f"c-{number}", total=Decimal(total), quantity=Decimal(4), uom="EA")
    await shop.pipeline.intake.put(Scan("PACKER-1", shop.clock.now(), (Sample("case_sealed", message),)))
    await shop.turn()


async def test_a_letter_of_a_source_that_sends_only_totals_shortens_its_gap(tmp_path):
    async with packing(tmp_path) as shop:
        await weighed(shop, 1, 4)
        for number in (2, 3):
            await unread(shop, id=f"c-{number}", units=4, total=4 * number)
        await weighed(shop, 4, 16)
        (gap,) = shop.exceptions(ExceptionKind.GAP)
        assert ("16", "8", "0", "8") == shop.tally(CASE)
        await shop.ask(RedriveLetter(2))

        assert [Decimal(4)] == [one.quantity for one in shop.exceptions(ExceptionKind.GAP)]
        assert "lost units between two messages: 4 EA" in shop.exceptions(ExceptionKind.GAP)[0].reason
        assert ("16", "12", "0", "4") == shop.tally(CASE)

        await shop.ask(RedriveLetter(1))
        again = await replayed(shop, tmp_path / "again.db", state := {})

        assert [("the missing messages came late", "gateway")] == await shop.rows(
            f"SELECT close_reason, closed_by FROM exception WHERE id = {gap.id}"
        )
        assert ("16", "16", "0", "0") == shop.tally(CASE)
        assert await bodies(shop) == again
        assert (shop.state.tallies, shop.state.exceptions) == (state["tallies"], state["exceptions"])


async def test_letters_from_before_the_first_number_move_no_watermark_back(tmp_path):
    async with packing(tmp_path) as shop:
        for number in (1, 2):
            await unread(shop, id=f"c-{number}", seq=number)
        await cases(shop, 3)
        for letter in (1, 2):
            await shop.ask(RedriveLetter(letter))
        await cases(shop, 4)

        assert Watermark(4) == replace(shop.state.watermarks[CASE], total=None)
        assert [] == shop.exceptions(ExceptionKind.GAP)
        assert ("4", "4", "0", "0") == shop.tally(CASE)


async def test_what_a_person_has_settled_meanwhile_is_held(tmp_path):
    async with packing(tmp_path) as shop:
        await cases(shop, 1)
        await unread(shop, id="c-2", seq=2)
        await cases(shop, 3)
        (gap,) = shop.exceptions(ExceptionKind.GAP)
        await shop.ask(SettleHold(gap.id, "miscount"))
        await shop.ask(RedriveLetter(1))

        assert ["too-late"] == [one.code for one in shop.exceptions(ExceptionKind.COUNTER)]


async def test_a_message_of_a_gap_that_was_closed_without_posting_is_held_and_shortens_no_later_gap(tmp_path):
    async with packing(tmp_path) as shop:
        await cases(shop, 1)
        await unread(shop, id="c-2", seq=2)
        await cases(shop, 3)
        (gap,) = shop.exceptions(ExceptionKind.GAP)
        await shop.ask(CloseException(gap.id, "miscount"))
        await cases(shop, 5)
        await shop.ask(RedriveLetter(1))
        again = await replayed(shop, tmp_path / "again.db", state := {})

        assert [Decimal(1)] == [one.quantity for one in shop.exceptions(ExceptionKind.GAP)]
        assert ["too-late"] == [one.code for one in shop.exceptions(ExceptionKind.COUNTER)]
        assert ("6", "3", "0", "2") == shop.tally(CASE)
        assert await bodies(shop) == again
        assert shop.state.exceptions == state["exceptions"]
