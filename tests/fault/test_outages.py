"""Broker, ERP and PLCs away and back in any order: everything catches up by itself."""

import random
import time
from collections.abc import Callable
from decimal import Decimal
from functools import partial

import pytest

from tests.harness.balance import assert_exact, assert_sound, lost, made, settle
from tests.harness.broker import Mosquitto
from tests.harness.ports import free_port
from tests.harness.site import Site, run_empty, running_line
from tests.harness.until import until

pytestmark = pytest.mark.timeout(600)

SPEED = 5
Action = Callable[[], object]


def erp_of(site: Site) -> tuple[Action, Action]:
    """Start an ERP in a process of its own; return how to kill it and start it again on its port."""
    port = "--port", free_port()
    running = [site.machines(part="erp", speed=SPEED, options=port)]

    def back() -> None:
        running.append(site.machines(part="erp", speed=SPEED, options=port))

    def gone() -> None:
        running[-1].kill()

    return gone, back


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_parts_that_go_and_come_back_in_any_order_leave_no_trace(site: Site, seed: int) -> None:
    chance = random.Random(seed)
    broker, erp = Mosquitto(site), erp_of(site)
    line = running_line(site, speed=SPEED, options=("--broker", broker.url, "--no-erp"), beside=site.ports())
    gateway = site.gateway()
    site.connected()
    line.type("FILLER-1 resume")
    site.counted("PACKER-1", "case_sealed", 3)

    outages: list[tuple[float, Action]] = []
    for gone, back in ((broker.stop, broker.start), erp):
        outages += [(at := chance.uniform(0, 2), gone), (at + chance.uniform(1, 4), back)]
    for plc in ("FILLER-1", "CAPPER-1"):
        outages.append((chance.uniform(0, 2), partial(line.type, f"{plc} drop {chance.uniform(1, 4):.1f}")))
    carry_out(outages)

    site.connected()
    run_empty(line)
    settle(site)

    assert gateway.running
    assert "Traceback" not in gateway.output
    assert_exact(site)


def carry_out(actions: list[tuple[float, Action]]) -> None:
    """Do each at its time, in seconds from now."""
    begun = time.monotonic()
    for at, action in sorted(actions, key=lambda one: one[0]):
        time.sleep(max(0.0, begun + at - time.monotonic()))  # the moment is the test's input
        action()


def test_plcs_that_are_switched_off_and_on_are_counted_exactly(site: Site) -> None:
    broker = Mosquitto(site)
    own = {name: ("--port", free_port()) for name in ("filler", "capper")}
    plcs = {name: site.machines(part=name, speed=SPEED, options=own[name]) for name in own}
    packer = site.machines(part="packer", speed=SPEED, options=("--broker", broker.url))
    packer.type("PACKER-1 pause")
    site.machines(part="erp", speed=SPEED)
    ports = {key: one for part in ("filler", "capper", "packer", "") for key, one in site.ports(part).items()}
    site.configure(SPEED, ports)
    site.gateway()
    site.connected()
    packer.type("PACKER-1 resume")
    site.counted("FILLER-1", "good", 50)
    site.counted("CAPPER-1", "capped", 50)

    plcs["filler"].kill()  # under load: its counters are retentive
    run_empty(plcs["capper"])  # its counter isn't: it is read to the end before the power goes
    until(lambda: site.tally("counted")["CAPPER-1", "capped"] == made(site, "capper")["CAPPER-1", "capped"].total)
    plcs["capper"].kill()
    until(lambda: [one["link"] for one in site.status().get("devices", {}).values()].count("disconnected") == 2)
    for name in ("capper", "filler"):
        plcs[name] = site.machines(part=name, speed=SPEED, options=own[name])
    site.connected()
    for device, signal in (("FILLER-1", "good"), ("CAPPER-1", "capped")):
        site.counted(device, signal, made(site, "filler", "capper")[device, signal].total + 1)
    for process in (*plcs.values(), packer):
        run_empty(process)
    settle(site, "filler", "capper", "packer")

    assert_exact(site, "filler", "capper", "packer")


def test_what_a_broker_forgets_is_a_gap_with_its_quantity_and_counts_as_held(site: Site) -> None:
    broker = Mosquitto(site, persistent=False)
    line = running_line(site, speed=SPEED, options=("--broker", broker.url))
    gateway = site.gateway()
    site.connected()
    line.type("FILLER-1 resume")
    site.counted("PACKER-1", "case_sealed", 3)
    gateway.kill()
    before = len(made(site)["PACKER-1", "case_sealed"].ids)
    until(lambda: len(made(site)["PACKER-1", "case_sealed"].ids) > before + 5)
    run_empty(line)
    broker.kill()  # with all it had for us
    broker.start()
    site.gateway()
    site.connected()
    line.type("FILLER-1 resume")
    site.counted("PACKER-1", "case_sealed", len(made(site)["PACKER-1", "case_sealed"].ids) + 1)
    run_empty(line)
    settle(site)
    held = {name: quantity for name, quantity in site.tally("held").items() if quantity}
    gaps = {tuple(one["scope"]): one for one in site.exceptions() if one["kind"] == "gap"}

    assert not lost(site)
    assert {("PACKER-1", "case_sealed"), ("SCALE-1", "net_weight")} == gaps.keys()
    assert gaps["PACKER-1", "case_sealed"]["count"] >= 5
    assert {name: Decimal(one["quantity"]) for name, one in gaps.items()} == held
    assert_sound(site.store)


def test_a_broker_killed_under_load_loses_nothing_unnoticed(site: Site) -> None:
    broker = Mosquitto(site)
    line = running_line(site, speed=SPEED, options=("--broker", broker.url))
    site.gateway()
    site.connected()
    line.type("FILLER-1 resume")
    for times in (1, 2, 3):
        site.counted("PACKER-1", "case_sealed", 5 * times)
        broker.kill()
        broker.start()
    site.connected()
    site.counted("PACKER-1", "case_sealed", len(made(site)["PACKER-1", "case_sealed"].ids) + 3)
    run_empty(line)
    settle(site)

    assert not lost(site)
    assert_sound(site.store)
