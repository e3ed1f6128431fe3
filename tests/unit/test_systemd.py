"""The unit file is what systemd accepts, and as closed as promised."""

import subprocess
from pathlib import Path

from tests.harness.required import required

UNIT = Path(__file__).parents[2] / "systemd" / "backflush-gateway.service"


def test_the_exposure_is_at_most_two():
    found = subprocess.run(
        [required("systemd-analyze"), "security", "--offline=true", "--threshold=20", str(UNIT)],
        capture_output=True,
        text=True,
        check=False,
    )

    assert found.returncode == 0, found.stdout[-300:]


def test_the_boot_id_stays_readable():
    """The clock reads /proc/sys/kernel/random/boot_id, which ProcSubset=pid would hide."""
    assert "ProcSubset" not in UNIT.read_text("utf-8")


def test_it_notifies_and_is_watched():
    lines = UNIT.read_text("utf-8").splitlines()

    assert {"Type=notify", "WatchdogSec=30s"} <= set(lines)


def test_it_is_started_again_however_often_the_disk_refuses():
    assert "StartLimitIntervalSec=0" in UNIT.read_text("utf-8").splitlines()


def test_a_damaged_store_is_not_started_again_and_again():
    assert "RestartPreventExitStatus=65" in UNIT.read_text("utf-8").splitlines()
