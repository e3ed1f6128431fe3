"""Each run rule, broken and repaired against the running daemon: every trigger that waited posts exactly once."""

import json
import re
import signal
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import pytest

from simulators import books
from tests.harness.balance import assert_exact, made, settle
from tests.harness.changes import add_order, chrony, component, without
from tests.harness.people import enrol, give, refused, signature, signs, typed
from tests.harness.process import Process
from tests.harness.scanner import add_scanner, scan
from tests.harness.site import Site, running_line
from tests.harness.until import until

pytestmark = pytest.mark.timeout(300)

SPEED = 2
OPERATIONS = ["0010", "0020", "0030", "0040"]
ORDER, NEXT_ORDER = "100045", "100046"
SYNCHRONISED = "C0A80001,time.plant,3,1795255200.8,0.0001,0.0,0.0,0.0,0.0,0.0,0.0123,0.0011,64.2,Normal"
SYNCHRONISED_WITHIN = 8  # ms: offset + dispersion + half of the delay, rounded up
ALONE = "00000000,,0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,1.0,1.0,0.0,Not synchronised"
Json = dict[str, Any]


@pytest.fixture
def line(site: Site) -> Process:
    """A line whose filler waits, and its configuration: each trigger is a document of its own."""
    line = running_line(site, speed=SPEED)
    with site.changed("triggers.yaml") as data:
        for rule in data["triggers"]:
            rule.pop("cumulate", None)
    enrol(site)
    return line


def start(site: Site, line: Process, environment: dict[str, str] | None = None) -> Process:
    gateway = site.gateway(environment=environment)
    site.connected()
    line.type("FILLER-1 resume")
    return gateway


def waits(site: Site, code: str) -> dict[str, str]:
    """Return, by operation, why triggers wait that wait for that."""
    held = (one for one in site.exceptions() if one["kind"] == "trigger" and one["code"] == code)
    return {one["scope"][1]: one["reason"] for one in held}


def broken(site: Site, code: str, operations: Iterable[str] = OPERATIONS) -> dict[str, str]:
    def every() -> dict[str, str]:
        found = waits(site, code)
        return found if set(operations) <= set(found) else {}

    return until(every, what=site.exceptions)


def released(site: Site, operation: str) -> None:
    until(lambda: operation not in held(site), what=site.exceptions)


def held(site: Site) -> list[str]:
    return [one["scope"][1] for one in site.exceptions() if one["kind"] == "trigger"]


def posted_once(site: Site, line: Process) -> list[Json]:
    """Wait until nothing waits any more, stop the machines, compare; return what the ERP booked."""
    until(lambda: not held(site), what=site.exceptions)
    line.type("stop")
    line.said("stopped")
    settle(site)
    assert_exact(site)
    return books.books(site.root / "erp.db")


def posted_late(bodies: Iterable[Json], operation: str) -> list[Json]:
    return [one for one in bodies if one["operation"] == operation and one["deviations"]]


# --- no stage, no flush -----------------------------------------------------------------------------


def test_what_is_staged_by_api_command_line_or_scanner_releases_what_waited_for_it(site: Site, line: Process) -> None:
    without(site, "CO2", "CAP-28")
    with site.changed("masterdata/stagings.yaml") as data:
        data["stagings"] = [one for one in data["stagings"] if one["lot"] != "H-88"]
        next(one for one in data["stagings"] if one["lot"] == "H-89")["quantity"] = Decimal("0.006")  # of two cases
    add_scanner(site, lot_staged=("item", "lot", "location", "quantity", "uom", "order"))
    start(site, line)
    nothing = broken(site, "not-staged", ["0010", "0020"])
    short = broken(site, "shortage", ["0030"])

    scan(site, "lot_staged", item="CO2", lot="G-9", location="L1-TANK-2", quantity=900, uom="kg", order=ORDER)
    released(site, "0010")
    still = held(site)
    caps = {"owner": {"kind": "line", "name": "L1"}, "item": "CAP-28", "lot": "C-9", "location": "L1-BIN-3"}
    give(site, "stage", staging={"staging": "TO-9", "key": caps, "quantity": "90000", "uom": "EA"})
    released(site, "0020")
    typed(site, "stage", "GLUE", "H-90", "60", "kg", "--location", "L1-BIN-5", "--line", "L1")
    bodies = posted_once(site, line)

    assert ("CO2" in nothing["0010"], "CAP-28" in nothing["0020"], "GLUE" in short["0030"]) == (True, True, True)
    assert {"0020", "0030"} == set(still)
    for operation, lot in (("0010", "G-9"), ("0020", "C-9"), ("0030", "H-90")):
        late = posted_late(bodies, operation)
        assert late
        assert all(_says_both_times(one, lot, "staged") for one in late)


def _says_both_times(body: Json, lot: str, verb: str) -> bool:
    """Tell whether the deviations say when the lot came and when it was used."""
    moment = r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)"
    sentence = re.compile(rf"lot {lot} of \S+ was {verb} {moment}, after its use {moment}")
    found = [sentence.fullmatch(one["text"]) for one in body["deviations"] if one["code"] == "staged-after-use"]
    used = body["triggers"][0]["source_time"]
    return any(one and one[1] > used == one[2] for one in found)


def test_a_lot_staged_after_use_waits_for_a_signature_where_the_bom_wants_one(site: Site, line: Process) -> None:
    (small, *_) = without(site, "CARTON-12")
    component(site, "CARTON-12", late_stage="sign")
    start(site, line)
    broken(site, "not-staged", ["0030"])
    site.counted("PACKER-1", "case_sealed", 3)
    line.type("stop")
    line.said("stopped")
    site.counted("PACKER-1", "case_sealed", made(site)["PACKER-1", "case_sealed"].total)
    (entry,) = [one for one in site.exceptions() if one["scope"] == [ORDER, "0030"]]
    number, cases = entry["id"], entry["count"]
    key = {"owner": {"kind": "line", "name": "L1"}, **{name: small[name] for name in ("item", "lot", "location")}}
    give(site, "stage", staging={"staging": "TO-9", "key": key, "quantity": "600", "uom": "EA"})
    (reason,) = broken(site, "staged-after-use", ["0030"]).values()
    status, message = refused(site, "accept-deviation", exception=number)
    accepted = 0
    while "0030" in waits(site, "staged-after-use"):
        give(site, "accept-deviation", exception=number, signature=signature())
        accepted += 1
    late = posted_late(posted_once(site, line), "0030")

    assert "the deviation has to be signed" in reason
    assert (422, "this needs a signature: deviation") == (status, message)
    assert cases == accepted == len(late)
    assert [(cases,)] == site.rows("SELECT count(*) FROM journal WHERE kind = 'deviation'")


# --- no lot scan, no eligibility --------------------------------------------------------------------


def test_lots_that_nobody_scanned_in_wait_for_the_scanner_or_the_command_line(site: Site, line: Process) -> None:
    with site.changed("gateway.yaml") as data:
        data["lines"][0]["lot_scan"] = True
    add_scanner(site, lot_scanned=("item", "lot"))
    start(site, line)
    broken(site, "not-scanned", ["0010", "0020", "0030"])
    reasons = broken(site, "shortage", ["0040"])  # one of its lots is refused for something else
    staged = json.loads((site.config / "masterdata" / "stagings.yaml").read_text("utf-8"))["stagings"]
    for one in staged:
        if one["item"] != "BEVERAGE":
            scan(site, "lot_scanned", item=one["item"], lot=one["lot"])
    for operation in ("0010", "0020", "0030"):
        released(site, operation)
    still = held(site)
    said = [typed(site, "scan-in", "L1", "BEVERAGE", lot) for lot in ("BX-11", "BX-12")]
    bodies = posted_once(site, line)

    assert "lot BX-11 is not scanned in" in reasons["0040"]
    assert ["0040"] == still
    assert ["became eligible: 1" in one for one in said] == [True, True]
    assert all(_says_both_times(one, "BX-11", "scanned in") for one in posted_late(bodies, "0040"))
    assert [posted_late(bodies, one) != [] for one in OPERATIONS] == [True] * 4


# --- no time sync, no posting -----------------------------------------------------------------------


def test_without_a_synchronised_clock_everything_waits_and_then_posts_by_itself(site: Site, line: Process) -> None:
    programs = site.root / "programs"
    with site.changed("gateway.yaml") as data:
        data["clock_trust"] = "chrony"
    start(site, line, chrony(programs, ALONE))
    reasons = broken(site, "clock")
    before = site.rows("SELECT count(*) FROM posting")
    chrony(programs, SYNCHRONISED)
    bodies = posted_once(site, line)

    assert [(0,)] == before
    assert {"the clock was not synchronised since the last boot"} == {one.partition(":")[0] for one in reasons.values()}
    assert {"chrony"} == {one["clock"]["trust"] for one in bodies}
    assert all(SYNCHRONISED_WITHIN <= one["clock"]["error_ms"] <= SYNCHRONISED_WITHIN + 50 for one in bodies)
    for rule in ("fill-good", "cap", "case-sealed", "weighed"):  # what waited kept its own times, and their order
        times = [one["source_time"] for body in bodies for one in body["triggers"] if one["rule"] == rule]
        assert times
        assert sorted(times) == times


def test_a_clock_that_a_person_believes_posts_what_waited_with_that_trust(site: Site, line: Process) -> None:
    with site.changed("gateway.yaml") as data:
        data["clock_trust"] = "chrony"
    start(site, line, chrony(site.root / "programs", ALONE))
    broken(site, "clock")
    unsigned = typed(site, "trust-clock", code=1)
    still = held(site)
    typed(site, "trust-clock", *signs(site))
    bodies = posted_once(site, line)

    assert "needs a signature" in unsigned
    assert OPERATIONS == sorted(set(still))
    assert {"person"} == {one["clock"]["trust"] for one in bodies}
    assert all(isinstance(one["clock"]["error_ms"], int) for one in bodies)


# --- no label approval, no packout ------------------------------------------------------------------


def test_each_order_packs_once_its_label_is_approved_by_command_line_or_scanner(site: Site, line: Process) -> None:
    add_order(site, NEXT_ORDER)
    with site.changed("masterdata/boms.yaml") as data:
        next(one for one in data["boms"][0]["operations"] if one["operation"] == "0030")["label_approval"] = True
    add_scanner(site, label_approved=("order",))
    start(site, line)
    reasons = [broken(site, "label", ["0030"])["0030"]]
    typed(site, "approve-label", ORDER)
    released(site, "0030")
    give(site, "start-order", line="L1", order=NEXT_ORDER)
    reasons.append(broken(site, "label", ["0030"])["0030"])
    scan(site, "label_approved", order=NEXT_ORDER)
    bodies = posted_once(site, line)

    sentence = "the label of order {} is not approved: nothing is packed before it is"
    assert [sentence.format(ORDER), sentence.format(NEXT_ORDER)] == reasons
    assert {ORDER, NEXT_ORDER} == {one["order"] for one in bodies if one["operation"] == "0030"}


# --- line clearance ---------------------------------------------------------------------------------


def test_after_a_change_of_order_the_line_waits_for_clearance(site: Site, line: Process) -> None:
    add_order(site, NEXT_ORDER)
    with site.changed("gateway.yaml") as data:
        data["lines"][0]["line_clearance"] = True
    with site.changed("triggers.yaml") as data:
        for rule in data["triggers"]:
            rule["order"] = "active"  # a machine that went on with the former order would ask for clearance again
    add_scanner(site, order_started=("order",))
    start(site, line)
    site.counted("CAPPER-1", "capped", 5)
    scan(site, "order_started", order=NEXT_ORDER)
    reasons = broken(site, "line-clearance", ["0010", "0020", "0030", "0040"])
    asked = [one["reason"] for one in site.exceptions() if one["kind"] == "clearance"]
    typed(site, "clear-line", "L1", NEXT_ORDER)
    bodies = posted_once(site, line)

    assert {f"line L1 was not cleared for order {NEXT_ORDER}"} == set(reasons.values())
    assert [f"line L1 changed from order {ORDER} to {NEXT_ORDER}: it has to be cleared of what {ORDER} left"] == asked
    assert {ORDER, NEXT_ORDER} == {one["order"] for one in bodies if one["operation"] == "0020"}


# --- regulated mode ---------------------------------------------------------------------------------


def test_in_regulated_mode_only_a_signed_configuration_posts_until_it_changes(site: Site, line: Process) -> None:
    with site.changed("gateway.yaml") as data:
        data["regulated"] = True
    gateway = start(site, line)
    reasons = broken(site, "not-activated")
    hash_ = re.search(r"^configuration (\S+)", typed(site, "check"), re.MULTILINE)
    assert hash_
    status, _ = refused(site, "activate", configuration=hash_[1])
    give(site, "activate", configuration=hash_[1], signature=signature())
    for device, counter in site.rows("SELECT device, signal FROM baseline"):
        give(site, "sign-baseline", device=device, signal=counter, value=0, signature=signature())
    until(lambda: not held(site), what=site.exceptions)

    gateway.signal(signal.SIGTERM)
    gateway.ended()
    gateway = site.gateway()
    site.connected()
    site.counted("CAPPER-1", "capped", site.tally("counted")["CAPPER-1", "capped"] + 1)
    after_restart = held(site)

    component(site, "GLUE", quantity=2400)
    gateway.signal(signal.SIGHUP)
    again = broken(site, "not-activated", ["0030"])
    typed(site, "activate", *signs(site))
    bodies = posted_once(site, line)

    assert {f"configuration {hash_[1]} takes effect once somebody has signed it"} == set(reasons.values())
    assert 422 == status
    assert [] == after_restart
    assert hash_[1] not in again["0030"]
    assert [("anna",)] * 2 == site.rows("SELECT body ->> 'person' FROM journal WHERE kind = 'activated'")
    assert 2 == len({one["master_data"] for one in bodies})
