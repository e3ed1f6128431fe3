"""Each way in which a command is refused, and which of them are written down."""

import pytest

from gateway.api.refusals import ONE_BY_ONE
from gateway.domain.command import Reverse
from gateway.errors import CommandRefused, TransientError
from tests.integration.api.asking import ask, signature
from tests.integration.api.conftest import Site

REFUSALS = {
    "no signature": (None, 422, "this needs a signature: reversal"),
    "wrong password": (signature(password="wrong"), 401, "unknown user or wrong password"),
    "unknown user": (signature("nobody"), 401, "unknown user or wrong password"),
    "by a viewer": (signature("viewer"), 403, "viewer (viewer) may not sign reversal"),
    "by an operator": (signature("operator"), 403, "operator (operator) may not sign reversal"),
}


@pytest.mark.parametrize("case", REFUSALS)
async def test_a_reversal_is_refused_with_its_own_message_and_audited(site: Site, case: str) -> None:
    given, status, message = REFUSALS[case]
    await site.writer.post(2)

    answer = await ask(site, "reverse", signature=given)

    assert (answer.status_code, answer.json()["detail"]) == (status, message)
    assert answer.json()["hint"]
    person = f"{given['user']} (token operator)" if given else "operator"
    assert site.writer.audited == [(Reverse(2, "MISCOUNT"), person, message)]
    assert not site.writer.executed


async def test_a_viewers_token_may_not_reverse_and_that_is_audited(site: Site) -> None:
    await site.writer.post(2)

    answer = await ask(site, "reverse", "viewer", signature=signature())

    assert (answer.status_code, answer.json()["detail"]) == (403, "the role viewer has no permission to operate")
    assert site.writer.audited == [(Reverse(2, "MISCOUNT"), "viewer", "the role viewer has no permission to operate")]
    assert not site.writer.executed


async def test_a_viewers_nonsense_is_no_command_to_audit(site: Site) -> None:
    answer = await ask(site, "reverse", "viewer", seq="two")

    assert (answer.status_code, site.writer.audited) == (403, [])


async def test_what_nobody_signs_is_not_audited(site: Site) -> None:
    answer = await ask(site, "scan-in", "viewer")

    assert (answer.status_code, site.writer.audited) == (403, [])


async def test_a_posting_that_does_not_exist_can_not_be_signed_for(site: Site) -> None:
    answer = await ask(site, "reverse", signature=signature())

    assert (answer.status_code, answer.json()["detail"]) == (409, "there is no posting 2")
    assert len(site.writer.audited) == 1


async def test_what_the_pipeline_refuses_is_a_conflict_with_its_hint(site: Site) -> None:
    await site.writer.post(2)
    site.writer.refusal = CommandRefused("posting 2 is reversed already", "by posting 3")

    answer = await ask(site, "reverse", signature=signature())

    assert answer.status_code == 409
    assert answer.json() == {"detail": "posting 2 is reversed already", "hint": "by posting 3"}


async def test_a_store_that_takes_nothing_answers_503(site: Site) -> None:
    site.writer.refusal = TransientError("not carried out: disk full")

    answer = await ask(site, "retry")

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")


async def test_a_flood_of_refusals_is_audited_up_to_a_limit(site: Site) -> None:
    for _ in range(ONE_BY_ONE + 5):
        await ask(site, "reverse", "viewer", signature=signature())

    assert ONE_BY_ONE == len(site.writer.audited)


async def test_another_caller_is_audited_in_a_flood(site: Site) -> None:
    for _ in range(ONE_BY_ONE + 5):
        await ask(site, "reverse", "viewer", signature=signature())
    await ask(site, "reverse", "erp", signature=signature())

    assert "erp" == site.writer.audited[-1][1]
