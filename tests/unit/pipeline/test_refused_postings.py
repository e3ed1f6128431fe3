"""Postings that a sink refused: offered once more, or settled by a person."""

import pytest

from gateway.domain.command import CloseException, RedrivePosting, SettlePosting
from gateway.domain.exception import ExceptionKind
from gateway.errors import CommandRefused
from gateway.store.batch import ConsumerKey, ConsumerKind
from gateway.store.store import Registration
from tests.property.replaying import replayed
from tests.unit.pipeline.office import ANNA, Office, office


@pytest.fixture
async def shop(tmp_path):
    """An office of whose three postings the sink refused the second."""
    async with office(tmp_path, None, {"quantity": "20"}) as opened:
        await opened.pack("1", "2", "3")
        await opened.asked(opened.pipeline.commands.deliver("erp", 3, {2: "unknown item"}))
        yield opened


async def tried(shop: Office, refused: str = "") -> None:
    await shop.asked(shop.pipeline.commands.tried_again("erp", 2, refused))


async def rejection(shop: Office) -> tuple:
    found = await shop.rows("SELECT reason, tries, redrive, close_reason, closed_by FROM sink_rejection")
    return found[0]


async def watermark(shop: Office) -> list[tuple]:
    return await shop.rows("SELECT through FROM consumer WHERE name = 'erp'")


async def test_it_is_offered_once_more_as_soon_as_that_is_committed(shop):
    before = shop.log.asked

    assert await shop.ask(RedrivePosting("erp", 2)) is True
    assert ("unknown item", 1, 1, "", "") == await rejection(shop)
    assert before + 1 == shop.log.asked
    assert 2 == (await shop.log.asked_again("erp", 0)).seq


async def test_asking_twice_changes_nothing(shop):
    await shop.ask(RedrivePosting("erp", 2))

    assert await shop.ask(RedrivePosting("erp", 2)) is False


async def test_what_was_booked_on_another_try_is_closed_and_moves_no_watermark(shop):
    await shop.ask(RedrivePosting("erp", 2))
    await tried(shop)

    assert ("unknown item", 1, 0, "booked on another try", "sink erp") == await rejection(shop)
    assert [(3,)] == await watermark(shop)
    assert await shop.log.asked_again("erp", 0) is None


async def test_another_refusal_has_the_new_reason_and_waits_for_a_person(shop):
    await shop.ask(RedrivePosting("erp", 2))
    await tried(shop, "lot is blocked")

    assert ("lot is blocked", 2, 0, "", "") == await rejection(shop)
    assert [(3,)] == await watermark(shop)


async def test_nobody_settles_what_is_being_offered_once_more(shop):
    await shop.ask(RedrivePosting("erp", 2))
    with pytest.raises(CommandRefused, match="another try of posting 2 by sink erp is under way") as refused:
        await shop.ask(SettlePosting("erp", 2, "booked by hand"))

    assert "wait for its answer" in refused.value.hint
    assert ("unknown item", 1, 1, "", "") == await rejection(shop)


async def remove_the_sink(shop: Office) -> None:
    """Start with a gateway.yaml that doesn't name it any more."""
    await shop.store.register([], shop.clock.now().wall)


async def test_what_a_sink_was_asked_for_is_settled_once_the_sink_is_gone(shop):
    await shop.ask(RedrivePosting("erp", 2))
    await remove_the_sink(shop)

    assert await shop.ask(SettlePosting("erp", 2, "booked by hand")) is True
    assert ("unknown item", 1, 0, "booked by hand", "anna") == await rejection(shop)


async def test_a_sink_that_is_gone_is_not_asked_again(shop):
    await remove_the_sink(shop)
    with pytest.raises(CommandRefused, match=r"sink erp is not in gateway.yaml any more") as refused:
        await shop.ask(RedrivePosting("erp", 2))

    assert "settle it" in refused.value.hint


async def test_a_sink_that_is_configured_again_goes_on_with_what_it_was_asked_for(shop):
    await shop.ask(RedrivePosting("erp", 2))
    await remove_the_sink(shop)
    erp = Registration(ConsumerKey(ConsumerKind.SINK, "erp"), required=False)
    await shop.store.register([erp], shop.clock.now().wall)

    with pytest.raises(CommandRefused, match="is under way"):
        await shop.ask(SettlePosting("erp", 2, "booked by hand"))


async def test_once_it_was_refused_again_it_is_settled(shop):
    await shop.ask(RedrivePosting("erp", 2))
    await tried(shop, "lot is blocked")

    assert await shop.ask(SettlePosting("erp", 2, "booked by hand")) is True


async def test_what_a_person_settled_stays_settled_and_that_the_sink_booked_it_too_is_told(shop, tmp_path):
    await shop.ask(SettlePosting("erp", 2, "booked by hand"))
    await tried(shop)
    (notice,) = shop.exceptions(ExceptionKind.NOTICE)
    await shop.pack("4")

    assert ("unknown item", 1, 0, "booked by hand", "anna") == await rejection(shop)
    assert ("posting-booked-too", ("erp", "2")) == (notice.code, tuple(notice.scope))
    assert "after anna had settled it by hand (booked by hand): it may be booked twice there" in notice.reason
    assert [body for (body,) in await shop.rows("SELECT body FROM posting ORDER BY seq")] == await replayed(
        shop, tmp_path / "again.db"
    )


async def test_that_notice_is_closed_like_any_other(shop):
    await shop.ask(SettlePosting("erp", 2, "booked by hand"))
    await tried(shop)
    (notice,) = shop.exceptions(ExceptionKind.NOTICE)
    await shop.ask(CloseException(notice.id, "miscount"))

    assert [] == shop.exceptions(ExceptionKind.NOTICE)


@pytest.mark.parametrize("settled", [True, False], ids=["a refusal", "the same answer again"])
async def test_any_other_answer_after_it_was_closed_tells_nothing(shop, settled):
    if settled:
        await shop.ask(SettlePosting("erp", 2, "booked by hand"))
        await tried(shop, "lot is blocked")
    else:
        await shop.ask(RedrivePosting("erp", 2))
        await tried(shop)
        await tried(shop)

    assert [] == shop.exceptions(ExceptionKind.NOTICE)


async def test_settling_needs_a_signature(shop):
    with pytest.raises(CommandRefused, match="settlement of a refused posting needs a signature"):
        await shop.ask(SettlePosting("erp", 2, "booked by hand"), ANNA._replace(signature=None))


@pytest.mark.parametrize("command", [RedrivePosting("erp", 1), SettlePosting("erp", 1, "seen"), RedrivePosting("x", 2)])
async def test_what_was_never_refused_is_named(shop, command):
    with pytest.raises(CommandRefused, match=f"no open refusal of posting {command.seq} by sink {command.sink}"):
        await shop.ask(command)


async def test_what_retention_has_deleted_can_only_be_settled(shop):
    await shop.asked(shop.pipeline.commands.deliver("erp", 3, {99: "unknown item"}))
    with pytest.raises(CommandRefused, match="posting 99 is not kept any more"):
        await shop.ask(RedrivePosting("erp", 99))

    assert await shop.ask(SettlePosting("erp", 99, "seen")) is True


async def test_each_step_is_chained_and_a_replay_chains_it_again(shop, tmp_path):
    await shop.ask(RedrivePosting("erp", 2))
    await tried(shop, "lot is blocked")
    await shop.ask(RedrivePosting("erp", 2))
    await tried(shop)
    with pytest.raises(CommandRefused):
        await shop.ask(SettlePosting("erp", 2, "booked by hand"))
    await shop.pack("4")
    journal = [kind for (kind,) in await shop.rows("SELECT kind FROM journal WHERE kind LIKE 'posting-%'")]

    assert ["posting-again", "posting-refused", "posting-again", "posting-booked"] == journal
    assert [body for (body,) in await shop.rows("SELECT body FROM posting ORDER BY seq")] == await replayed(
        shop, tmp_path / "again.db"
    )
