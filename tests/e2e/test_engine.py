"""What people decide about a running line: overruns, reversals, the order's close; and what a posting answers."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from decimal import Decimal
from hashlib import sha256
from typing import Any

import pytest

from simulators import books
from tests.harness.balance import assert_books_agree, assert_exact, assert_sound, lost, settle
from tests.harness.people import enrol, give, refused, signature, signs, typed
from tests.harness.process import Process
from tests.harness.site import Site, open_site, running_line
from tests.harness.until import until

pytestmark = pytest.mark.timeout(300)

SPEED = 4
ORDER = "100045"
VIEWER = "token of a screen on the wall"
FILLED, PACKED = "0010", "0030"
Json = dict[str, Any]


def ready(site: Site) -> Process:
    """Configure a line whose filler waits, and the people who sign."""
    line = running_line(site, speed=SPEED)
    enrol(site)
    with site.changed("gateway.yaml") as data:
        token = {"name": "wall", "role": "viewer", "sha256": sha256(VIEWER.encode()).hexdigest()}
        data["api"]["tokens"].append(token)
    return line


def start(site: Site, line: Process) -> None:
    site.gateway()
    site.connected()
    line.type("FILLER-1 resume")


def stop(site: Site, line: Process, *, times: int = 1) -> None:
    line.type("stop")
    line.said("stopped", times=times)
    settle(site)


def booked(site: Site) -> dict[int, Json]:
    """Return what the ERP booked, once it has everything."""
    settle(site)
    return {one["seq"]: one for one in books.books(site.root / "erp.db")}


def fresh(site: Site, operation: str, *, triggers: int = 1) -> Json:
    """Return a posting of that operation's good units that nobody has reversed, of at least so many triggers."""
    every = booked(site)
    reversed_ = {one["reverses"]["seq"] for one in every.values() if one["reverses"]}
    return next(
        one
        for seq, one in every.items()
        if seq not in reversed_ | {0}
        and not one["reverses"]
        and one["operation"] == operation
        and len(one["triggers"]) >= triggers
        and Decimal(one["output"]["good"])
    )


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A line that ran and stopped, its gateway still there: each test takes postings that no other took."""
    with open_site(tmp_path_factory.mktemp("ran")) as site:
        line = ready(site)
        with site.changed("triggers.yaml") as data:
            next(one for one in data["triggers"] if "cumulate" in one)["cumulate"] = {"window": "2s", "units": 30}
        start(site, line)
        site.counted("PACKER-1", "case_sealed", 10)
        stop(site, line)
        assert_exact(site)
        yield site


def agrees(site: Site) -> None:
    """The ERP, the gateway and the machines have the same, reversals counted in."""
    booked(site)
    assert_books_agree(site)
    assert_sound(site.store)
    code, report = site.command("reconcile", site.root)
    assert code == 0, report


# --- reversal ---------------------------------------------------------------------------------------


def unsigned(site: Site) -> tuple[int, Json]:
    return fresh(site, PACKED)["seq"], {}


def with_a_wrong_password(site: Site) -> tuple[int, Json]:
    return fresh(site, PACKED)["seq"], {"signature": signature(password="wrong horse")}


def signed_by_a_viewer(site: Site) -> tuple[int, Json]:
    return fresh(site, PACKED)["seq"], {"signature": signature("vera")}


def from_a_screen_on_the_wall(site: Site) -> tuple[int, Json]:
    return fresh(site, PACKED)["seq"], {"signature": signature(), "token": VIEWER}


def of_what_is_reversed(site: Site) -> tuple[int, Json]:
    seq = fresh(site, PACKED)["seq"]
    give(site, "reverse", seq=seq, reason="R01", signature=signature())
    return seq, {"signature": signature()}


def of_more_than_is_left(site: Site) -> tuple[int, Json]:
    seq = fresh(site, FILLED, triggers=3)["seq"]
    give(site, "reverse", seq=seq, reason="R01", units="2", signature=signature())
    return seq, {"signature": signature(), "units": "1000"}


@pytest.mark.parametrize(
    ("asked", "status", "message"),
    [
        (unsigned, 422, "this needs a signature: reversal"),
        (with_a_wrong_password, 401, "unknown user or wrong password"),
        (signed_by_a_viewer, 403, "vera (viewer) may not sign reversal"),
        (from_a_screen_on_the_wall, 403, "the role viewer has no permission to operate"),
        (of_what_is_reversed, 409, "posting {seq} is already reversed, by posting {by}"),
        (of_more_than_is_left, 409, "1000 bottle is more than posting {seq} has left: {left}"),
    ],
)
def test_a_reversal_that_may_not_be_is_refused_with_its_own_message_and_audited(
    ran: Site, asked: Any, status: int, message: str
) -> None:
    seq, more = asked(ran)
    before = booked(ran)
    answer = refused(ran, "reverse", seq=seq, reason="R01", **more)
    by = [one["seq"] for one in before.values() if one["reverses"] == {"seq": seq}]
    made = [before[one]["output"]["good"] for one in (seq, *by)]
    wanted = message.format(seq=seq, by=", ".join(map(str, by)), left=sum(map(Decimal, made)))
    ((why, about),) = ran.rows(
        "SELECT body ->> 'why', body ->> '$.about.seq' FROM journal "
        "WHERE kind = 'refused' ORDER BY position DESC LIMIT 1"
    )

    code, said = answer

    assert (status, wanted) == (code, said[: len(wanted)])  # what follows is the way out
    assert (said, seq) == (why[: len(said)], about)  # the way out is written down with it
    assert before == booked(ran)


def test_a_cumulated_posting_is_reversed_in_parts_the_newest_triggers_first(ran: Site) -> None:
    original = fresh(ran, FILLED, triggers=3)
    seq, units = original["seq"], Decimal(original["output"]["good"])
    give(ran, "reverse", seq=seq, reason="R01: five too many", units="5", signature=signature())
    typed(ran, "reverse", seq, "--reason", "R02", *signs(ran))
    part, rest = (one for one in booked(ran).values() if one["reverses"] == {"seq": seq})
    whole, newest, others = (linked(ran, one["seq"]) for one in (original, part, rest))

    assert [Decimal(-5), 5 - units] == [Decimal(one["output"]["good"]) for one in (part, rest)]
    assert whole[-len(newest) :] == newest
    assert whole == sorted({*newest, *others})
    assert not any(_issued((original, part, rest)).values())
    assert [("R01", "anna"), ("R02", "anna")] == [
        (one["reason"]["code"], one["signature"]["user"]) for one in (part, rest)
    ]
    agrees(ran)


def linked(site: Site, seq: int) -> list[int]:
    """Return the triggers whose units a posting has, oldest first."""
    query = "SELECT trigger_id FROM link JOIN posting USING (document_id) WHERE seq = {} ORDER BY trigger_id"
    return [trigger for (trigger,) in site.rows(query.format(seq))]


def _issued(bodies: Iterable[Json]) -> dict[tuple[str, str, str], Decimal]:
    total: defaultdict[tuple[str, str, str], Decimal] = defaultdict(Decimal)
    for line in (line for body in bodies for line in body["lines"]):
        total[line["use"], line["item"], line["lot"]] += Decimal(line["quantity"])
    return total


# --- what a posting answers -------------------------------------------------------------------------


def test_a_case_answers_with_its_lots_and_a_lot_with_its_cases_before_and_after_a_reversal(ran: Site) -> None:
    case = fresh(ran, PACKED)
    sscc = case["handling_unit"]["sscc"]
    before = typed(ran, "genealogy", "--sscc", sscc)
    lots = {one["lot"] for one in case["lines"] if one["use"] == "consumed"}
    forward = [typed(ran, "genealogy", "--lot", lot, "--all") for lot in sorted(lots)]
    give(ran, "reverse", seq=case["seq"], reason="R04", signature=signature())
    after = typed(ran, "genealogy", "--sscc", sscc)

    assert sorted(lots) == [lot for lot in sorted(lots) if lot in before]
    assert all(sscc in one for one in forward)
    assert [f"operation {one}" in before for one in ("0010", "0020", "0030")] == [True] * 3
    assert ("reversed" in before, "reversed" in after) == (False, True)
    agrees(ran)


def test_a_posting_explains_each_quantity_so_that_it_can_be_recomputed(ran: Site) -> None:
    case, bottles = fresh(ran, PACKED), fresh(ran, FILLED, triggers=3)
    for posting in (case, bottles):
        found = json.loads(typed(ran, "explain", posting["seq"], "--json"))
        draws = [draw for trigger in found["triggers"] for draw in trigger["draws"]]
        issued: defaultdict[int, Decimal] = defaultdict(Decimal)
        for pick in (pick for draw in draws for pick in draw["picks"]):
            issued[pick["line"]] += Decimal(pick["quantity"])

        assert draws
        for one in draws:
            assert one["how"] == "calculated"
            assert Decimal(one["due"]) == max(0, Decimal(one["rounded"]) - Decimal(one["before"]["committed"]))
        consumed = [Decimal(one["quantity"]) for one in posting["lines"] if one["use"] == "consumed"]
        assert sorted(consumed) == sorted(issued.values())
    assert "due = max(0, round(R) − C)" in typed(ran, "explain", bottles["seq"])


# --- orders -----------------------------------------------------------------------------------------


def test_over_production_waits_for_a_signed_overrun_and_a_closed_order_takes_no_more(site: Site) -> None:
    line = ready(site)
    with site.changed("masterdata/orders.yaml") as data:
        data["orders"][0] |= {"quantity": 5, "over_tolerance": "0 %"}
    start(site, line)
    held = until(lambda: waiting(site, "over-production"), what=site.exceptions)
    closing = {"order": ORDER, "residuals": "return", "reason": "R05"}
    too_early = refused(site, "close-order", **closing)
    refusal = typed(site, "allow-overrun", ORDER, "1000", code=1)
    typed(site, "allow-overrun", ORDER, "1000", *signs(site))
    until(lambda: not waiting(site, "over-production"), what=site.exceptions)
    stop(site, line)
    assert_exact(site)

    typed(site, "close-order", ORDER, "--residuals", "return", "--reason", "R05")
    line.type("FILLER-1 resume")
    until(lambda: waiting(site, "order-closed"), what=site.exceptions)
    stop(site, line, times=2)
    last = max(one for one, body in booked(site).items() if body["posting_type"] == "close")
    close = booked(site)[last]

    assert ["6 EA would be more than the 5 EA allowed"] == [one["reason"] for one in held]
    assert too_early[0] == 409
    assert f"order {ORDER} can't be closed, it still has exception {held[0]['id']} (over-production" in too_early[1]
    assert "needs a signature: overrun" in refusal
    assert {"CO2", "BEVERAGE"} == {one["item"] for one in close["lines"] if one["use"] == "returned"}
    assert {"BOTTLE-500", "CAP-28", "CARTON-12"} <= {one["item"] for one in close["variances"]}
    assert {} == lost(site)
    assert_books_agree(site)
    assert_sound(site.store)


def waiting(site: Site, code: str) -> list[Json]:
    return [one for one in site.exceptions() if one["kind"] == "trigger" and one["code"] == code]
