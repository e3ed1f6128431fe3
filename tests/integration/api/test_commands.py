"""Every command over HTTP: its body, what is malformed, and how it is described."""

from datetime import timedelta
from decimal import Decimal
from typing import Any, get_args

import pytest

from gateway.api.commands import PERMISSIONS, name_of
from gateway.domain.command import Command, EditedLine, EnterOutput, Stage
from gateway.domain.lot import LotFacts, LotKey, Owner, Staging
from gateway.domain.signature import Author
from tests.integration.api.asking import BODIES, KEY, ask, signature
from tests.integration.api.conftest import Site
from tests.integration.api.writer import NOW


def test_every_command_of_the_domain_has_its_endpoint() -> None:
    own = {"raise-alarm", "clear-alarm"}  # only the gateway itself gives these

    assert {name_of(kind) for kind in get_args(Command)} - own == set(BODIES) == set(map(name_of, PERMISSIONS))


@pytest.mark.parametrize("name", BODIES)
async def test_every_command_reaches_the_writer(site: Site, name: str) -> None:
    await site.writer.post(2)

    answer = await ask(site, name, "admin", signature=signature("admin"))

    assert (answer.status_code, answer.json()) == (200, {"result": True})
    assert [name_of(type(command)) for command, _ in site.writer.executed] == [name]


async def test_a_command_is_what_the_body_says(site: Site) -> None:
    lines = [{"bom_line": "0020", "quantity": "2.5"}]
    await ask(site, "enter-output", good=3, lines=lines, at="2026-11-21T12:00:00+02:00")

    (command, author) = site.writer.executed[0]
    assert command == EnterOutput(
        "E-1", "100045", "0010", Decimal(3), lines=(EditedLine("0020", Decimal("2.5")),), at=NOW
    )
    assert author == Author("operator")


async def test_a_transfer_carries_its_lots_facts_and_the_time_it_came(site: Site) -> None:
    facts = {"supplier": "ACME", "density": "0.998", "reference_temperature": "-4"}
    await ask(site, "stage", staging=BODIES["stage"]["staging"] | {"facts": facts, "scanned": True})

    key = LotKey(Owner("line", "L1"), "CAP-28", "L-7", "L1-CAP")
    known = LotFacts("ACME", density=Decimal("0.998"), reference_temperature=Decimal(-4))
    staging = Staging("ST-1", key, Decimal("12000.50"), "EA", NOW, facts=known, scanned=True)
    assert site.writer.executed[0][0] == Stage(staging)


@pytest.mark.parametrize(
    ("name", "changes", "loc"),
    [
        ("reverse", {"units": 1.5}, ["body", "units"]),
        ("reverse", {"units": "0"}, ["body", "units"]),
        ("reverse", {"seq": "2"}, ["body", "seq"]),
        ("reverse", {"seq": 2**63}, ["body", "seq"]),
        ("reverse", {"reason": ""}, ["body", "reason"]),
        ("reverse", {"colour": "red"}, ["body", "colour"]),
        ("reverse", {"signature": {"user": "a"}}, ["body", "signature", "password"]),
        ("count-lot", {"found": "-1"}, ["body", "found"]),
        ("start-order", {"at": "2026-11-21T10:00:00"}, ["body", "at"]),
        ("close-order", {"residuals": "eat"}, ["body", "residuals"]),
        ("return-lot", {"key": KEY | {"owner": {"kind": "cat", "name": "L1"}}}, ["body", "key", "owner", "kind"]),
        ("stage", {"staging": BODIES["stage"]["staging"] | {"scanned_at": "x"}}, ["body", "staging", "scanned_at"]),
        ("stage", {"staging": BODIES["stage"]["staging"] | {"received_at": "2026-11-21T10:00:01Z"}}, ["body"]),
    ],
)
async def test_a_malformed_body_is_refused_with_its_field(
    site: Site, name: str, changes: dict[str, Any], loc: list[str]
) -> None:
    answer = await ask(site, name, "admin", **changes)

    assert (answer.status_code, answer.json()["detail"][0]["loc"]) == (422, loc)
    assert not site.writer.executed


async def test_a_transfer_may_have_come_before(site: Site) -> None:
    await ask(site, "stage", staging=BODIES["stage"]["staging"] | {"received_at": "2026-11-20T06:00:00Z"})

    assert NOW - timedelta(hours=28) == site.writer.executed[0][0].staging.received_at


@pytest.mark.parametrize(
    ("name", "changes", "why"),
    [
        ("start-order", {"at": "yesterday"}, "for example 2026-12-31T00:00:00Z"),
        ("reverse", {"units": 0.1}, 'write it as a decimal string, e.g. "0.1"'),
    ],
)
async def test_a_refused_member_says_how_it_is_written(
    site: Site, name: str, changes: dict[str, Any], why: str
) -> None:
    answer = await ask(site, name, "admin", **changes)

    assert why in answer.json()["detail"][0]["msg"]


async def test_the_description_says_what_a_command_takes(site: Site) -> None:
    document = (await site.client("viewer").get("/api/v1/openapi.json")).json()
    reverse = document["paths"]["/api/v1/commands/reverse"]["post"]
    body = document["components"]["schemas"]["ReverseCommand"]

    assert {"seq", "reason", "units", "signature"} == set(body["properties"])
    assert {"200", "401", "403", "409", "422", "429", "503"} <= set(reverse["responses"])
    assert reverse["description"].startswith("Mirror a posting")
