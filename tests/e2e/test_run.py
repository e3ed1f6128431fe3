"""`gateway run` as a daemon: its life, its neighbours, and what it says when something is not as it should be."""

import os
import re
import signal
import time
from typing import Any

import pytest

from gateway.cli.demo_config import example_folder
from tests.harness.balance import assert_exact, assert_sound, settle
from tests.harness.process import Process
from tests.harness.site import Site, running_line
from tests.harness.until import until

pytestmark = pytest.mark.timeout(300)

SPEED = 5


def start(site: Site) -> tuple[Process, Process]:
    """Start line and gateway; return both once everything is connected and the machines run."""
    line = running_line(site, speed=SPEED)
    gateway = site.gateway()
    site.connected()
    line.type("FILLER-1 resume")
    return line, gateway


def stop_machines(line: Process) -> None:
    line.type("stop")
    line.said("stopped")


def test_sigterm_commits_what_waits_and_ends_within_seconds(site: Site) -> None:
    line, gateway = start(site)
    site.counted("PACKER-1", "case_sealed", 5)
    asked = time.monotonic()
    gateway.signal(signal.SIGTERM)
    code = gateway.ended()
    took = time.monotonic() - asked

    assert code == 0, gateway.output
    assert took < 15  # when systemd would kill it
    assert "Traceback" not in gateway.output
    assert_sound(site.store)

    site.gateway()
    stop_machines(line)
    settle(site)
    assert_exact(site)


def test_status_and_verify_run_beside_it_and_a_second_run_is_refused(site: Site) -> None:
    _, gateway = start(site)
    site.counted("FILLER-1", "good", 20)
    status, shown = site.command("status", site.config)
    verify, checks = site.command("verify", site.config)
    second, refusal = site.command("run", site.config)

    assert (0, 0, 1) == (status, verify, second), shown + checks + refusal
    assert "running since" in shown
    assert "FILLER-1" in shown
    assert "FILLER-1.good" in shown
    assert f"is in use by process {gateway.pid}" in refusal
    assert gateway.running


def test_health_is_open_and_everything_else_needs_a_token(site: Site) -> None:
    start(site)
    paths = ("/healthz", "/readyz", "/metrics", "/api/v1/status", "/api/v1/postings?after=0", "/api/v1/openapi.json")
    answers = {path: site.api.get(path, headers={"Authorization": ""}).status_code for path in paths}
    metrics = site.api.get("/metrics").text

    assert {path: 200 if path in ("/healthz", "/readyz") else 401 for path in paths} == answers
    assert 'backflush_device_connected{device="FILLER-1"} 1.0' in metrics


BROKEN = {  # file, what stands there, what shall stand there
    "wrong type": ("devices/filler-1.yaml", "queue_size: 20", "queue_size: many"),
    "unknown key": ("gateway.yaml", "clock_trust:", "clock_thrust:"),
    "4xxxx address": ("devices/capper-1.yaml", "address: 0 ", "address: 40001 "),
    "missing BOM": ("masterdata/orders.yaml", "bom: COLA-CASE-12", "bom: COLA-CASE-13"),
    "unit without conversion": ("masterdata/boms.yaml", "uom: kg", "uom: l"),
    "duplicate device": ("devices/scale-1.yaml", "device: SCALE-1", "device: PACKER-1"),
    "no YAML": ("triggers.yaml", "triggers:", "triggers: ["),
}


@pytest.mark.parametrize("fault", BROKEN)
def test_a_broken_configuration_ends_with_file_and_line_before_any_io(site: Site, fault: str) -> None:
    name, before, after = BROKEN[fault]
    for path in example_folder().rglob("*.yaml"):
        copy = site.config / path.relative_to(example_folder())
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(path.read_text("utf-8"), "utf-8")
    broken = site.config / name
    text = broken.read_text("utf-8")
    assert before in text
    broken.write_text(text.replace(before, after, 1), "utf-8")
    code, output = site.command("run", site.config)

    assert code == 2, output
    assert re.search(rf"{broken.name}:\d+: ", output)
    assert "Traceback" not in output
    assert not site.store.parent.exists()


def test_an_unreachable_file_is_named(site: Site) -> None:
    code, output = site.command("run", site.root / "nowhere")

    assert code == 2, output
    assert "nowhere" in output


def stagings(site: Site) -> int:
    return int(site.rows("SELECT count(*) FROM staging")[0][0])


def test_a_reload_refuses_a_broken_configuration_and_applies_a_new_staging_once(site: Site) -> None:
    _, gateway = start(site)
    before = stagings(site)
    with site.changed("gateway.yaml") as data:
        data["clock_thrust"] = data.pop("clock_trust")
    gateway.signal(signal.SIGHUP)
    until(lambda: "the old one keeps running" in gateway.output, what=lambda: gateway.output)
    with site.changed("gateway.yaml") as data:
        data["clock_trust"] = data.pop("clock_thrust")
    with site.changed("masterdata/stagings.yaml") as data:
        data["stagings"].append({**data["stagings"][0], "staging": "TO-2001", "quantity": "5"})
    for times in (1, 2):
        gateway.signal(signal.SIGHUP)
        until(lambda times=times: gateway.output.count("is in force") == times, what=lambda: gateway.output)  # type: ignore[misc]

    assert stagings(site) == before + 1
    assert site.status()["ready"]


def test_a_restart_stages_nothing_twice(site: Site) -> None:
    _, gateway = start(site)
    before = site.rows("SELECT lot, staged FROM lot_balance ORDER BY lot, item")
    gateway.signal(signal.SIGTERM)
    gateway.ended()
    site.gateway()
    site.connected()

    assert before == site.rows("SELECT lot, staged FROM lot_balance ORDER BY lot, item")


def test_a_shortage_holds_with_its_reason_and_clears_when_a_lot_is_staged(site: Site) -> None:
    line = running_line(site, speed=SPEED)
    with site.changed("masterdata/stagings.yaml") as data:
        data["stagings"] = [one for one in data["stagings"] if one["lot"] not in ("K-5501", "K-5502")]
        data["stagings"].append(
            {**data["stagings"][0], "staging": "TO-1", "item": "CARTON-12", "lot": "K-1", "quantity": "3"}
        )
    site.gateway()
    site.connected()
    line.type("FILLER-1 resume")
    held = until(lambda: waiting(site), what=site.status)

    assert [["100045", "0030"]] == [one["scope"] for one in held]
    assert "CARTON-12" in held[0]["reason"]
    assert "short" in held[0]["reason"] or "needs" in held[0]["reason"], held

    lot = {"item": "CARTON-12", "lot": "K-2", "location": "L1-BIN-4", "quantity": "5000", "uom": "EA", "line": "L1"}
    answers = [site.api.post("/api/v1/stagings", json={"staging": "TO-2", **lot}) for _ in range(2)]

    assert [201, 200] == [one.status_code for one in answers], [one.text for one in answers]
    until(lambda: not waiting(site), what=site.status)
    stop_machines(line)
    settle(site)
    assert_exact(site)


def waiting(site: Site) -> list[dict[str, Any]]:
    return [one for one in site.exceptions() if one["kind"] == "trigger"]


def test_systemd_is_told_ready_alive_and_stopping(site: Site) -> None:
    import socket

    running_line(site, speed=SPEED)
    address = site.root / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.bind(os.fspath(address))
        channel.settimeout(60)
        told = {"NOTIFY_SOCKET": str(address), "WATCHDOG_USEC": "400000"}
        gateway = site.run("gateway", "run", site.config, environment=told)
        said = [channel.recv(100).decode() for _ in range(3)]  # at once: the kernel keeps ten, then its sender waits
        gateway.signal(signal.SIGTERM)
        while said[-1] != "STOPPING=1":
            said.append(channel.recv(100).decode())

    assert {"READY=1", "WATCHDOG=1"} == set(said[:3])
    assert gateway.ended() == 0
