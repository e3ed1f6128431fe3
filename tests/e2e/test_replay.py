"""`gateway record` beside the daemon, `gateway replay`: the same bytes, or what another configuration makes of it."""

import json
import shutil
import signal
from decimal import Decimal

import pytest

from tests.harness.balance import assert_sound
from tests.harness.people import enrol, give, signature
from tests.harness.site import Site, running_line
from tests.harness.until import until

pytestmark = pytest.mark.timeout(300)
SPEED = 5


@pytest.fixture
def recorded(site: Site):
    """A site whose gateway was killed and started again, has reversed and staged, and was recorded while it ran."""
    line = running_line(site, speed=SPEED)
    enrol(site)
    gateway = site.gateway()
    site.connected()
    line.type("FILLER-1 resume")
    site.counted("PACKER-1", "case_sealed", 5)
    gateway.kill()
    gateway = site.gateway()
    site.connected()
    site.counted("PACKER-1", "case_sealed", 8)
    ((seq,),) = site.rows("SELECT max(seq) FROM posting WHERE operation = '0030'")
    give(site, "reverse", seq=seq, reason="R01", signature=signature())
    line.type("stop")
    line.said("stopped")
    code, said = site.command("record", site.config, "--out", site.root / "beside.jsonl")  # beside the daemon

    assert (code, "events and inputs of") == (0, said[said.index("events and") :][:20]), said

    give(site, "retry")
    until(lambda: not site.rows("SELECT id FROM open_document"), what=lambda: site.rows("SELECT id FROM open_document"))
    gateway.signal(signal.SIGTERM)
    gateway.ended()
    code, said = site.command("record", site.config, "--out", site.root / "events.jsonl")

    assert code == 0, said

    assert_sound(site.store)
    return site


def replayed(site: Site, *options: object, name: str = "events.jsonl", code: int = 0) -> str:
    ended, said = site.command("replay", site.config, site.root / name, *options)

    assert ended == code, said

    return said


def test_a_replay_gives_the_same_postings_byte_for_byte_each_time(recorded):
    first, second = (replayed(recorded, "--json") for _ in range(2))
    postings = [line for line in first.splitlines() if '"kind":"posting"' in line]
    stored = [body.decode() for (body,) in recorded.rows("SELECT body FROM posting ORDER BY seq")]

    assert first == second
    assert stored == [line for line in first.splitlines() if '"format":"backflush.posting/1"' in line]
    assert len(postings) > 10
    assert any(json.loads(line)["reverses"] for line in postings)

    balances = [json.loads(line) for line in first.splitlines() if '"kind": "balance"' in line]
    left = {(item, lot): (staged, consumed) for item, lot, staged, consumed in recorded.rows(BALANCES)}

    assert left == {(one["item"], one["lot"]): (one["staged"], one["consumed"]) for one in balances}


BALANCES = "SELECT item, lot, staged, consumed FROM lot_balance WHERE has_left"


def test_another_bill_makes_other_postings_of_the_same_events(recorded):
    with recorded.changed("masterdata/boms.yaml") as data:
        carton = next(one for one in data["boms"][0]["components"] if one["item"] == "CARTON-12")
        carton["quantity"] = 2000
    said = replayed(recorded, "--json")
    cases = [json.loads(line) for line in said.splitlines() if '"operation":"0030"' in line]
    cartons = [Decimal(line["quantity"]) for one in cases for line in one["lines"] if line["item"] == "CARTON-12"]

    assert sum(cartons) == 2 * sum(Decimal(one["output"]["good"]) for one in cases) > 0
    assert any(one["reverses"] for one in cases)
    assert "refused" not in said


def test_signals_that_the_configuration_lacks_are_left_out_and_named_with_their_line(recorded):
    (recorded.config / "devices" / "scale-1.yaml").unlink()
    with recorded.changed("triggers.yaml") as data:
        data["triggers"] = [one for one in data["triggers"] if not one["on"].startswith("SCALE-1")]
    said = replayed(recorded)

    assert "SCALE-1.net_weight is no signal of this configuration; left out are" in said
    assert "events.jsonl, line " in said
    assert "postings" in said


def test_what_is_no_recording_or_only_a_part_of_one_is_refused_by_line(recorded):
    lines = (recorded.root / "events.jsonl").read_bytes().splitlines(keepends=True)
    shutil.copy(recorded.config / "gateway.yaml", recorded.root / "other.jsonl")
    for name, content in {
        "half.jsonl": lines[:-1],
        "torn.jsonl": [*lines[:9], lines[9][:20]],
        "odd.jsonl": [*lines[:9], b'{"kind": "event"}\n', *lines[9:]],
    }.items():
        (recorded.root / name).write_bytes(b"".join(content))

    assert "other.jsonl:1: this is no recording" in replayed(recorded, name="other.jsonl", code=1)
    assert "half.jsonl is cut off" in replayed(recorded, name="half.jsonl", code=1)
    assert "torn.jsonl:10: this is no line of a recording" in replayed(recorded, name="torn.jsonl", code=1)
    assert "odd.jsonl:10: this is no event" in replayed(recorded, name="odd.jsonl", code=1)
