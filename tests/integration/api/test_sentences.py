"""A reason and a meaning stay in the chain for ever: each command that takes one wants something to read."""

import pytest

from tests.integration.api.asking import BODIES, ask, signature
from tests.integration.api.conftest import Site

REASONED = sorted(name for name, body in BODIES.items() if "reason" in body)


@pytest.mark.parametrize("name", REASONED)
async def test_a_reason_that_says_nothing_is_refused(site: Site, name: str) -> None:
    answer = await ask(site, name, "admin", reason=" ", signature=signature("quality"))

    assert (answer.status_code, answer.json()["detail"][0]["loc"]) == (422, ["body", "reason"])
    assert not site.writer.executed


@pytest.mark.parametrize("name", BODIES)
async def test_a_meaning_that_says_nothing_is_refused(site: Site, name: str) -> None:
    answer = await ask(site, name, "admin", signature={**signature("quality"), "meaning": " "})

    assert (answer.status_code, answer.json()["detail"][0]["loc"]) == (422, ["body", "signature", "meaning"])
    assert not site.writer.executed
