"""What the kernel and chrony say of the clock."""

import os

import pytest

from gateway.errors import TransientError
from gateway.runtime import time_source
from gateway.runtime.time_source import ChronyClock, ClockReading, KernelClock, parse_tracking

ANSWER = "C0A80001,time.plant,3,1795255200.870,-0.000412,0.0001,0.0002,-5.1,0.001,0.02,0.012300,0.001150,64.2,Normal\n"
SILENT = "00000000,,0,0.000000000,0.0,0.0,0.0,0.0,0.0,0.0,1.000000000,1.000000000,0.0,Not synchronised\n"


@pytest.fixture
def chronyc(tmp_path, monkeypatch):
    """Return a function that puts a chronyc on PATH which does what its shell script says."""

    def install(script: str) -> None:
        program = tmp_path / "chronyc"
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")

    return install


def kernel(monkeypatch, result: int, **state) -> KernelClock:
    clock = KernelClock()

    def adjtimex(timex):
        for name, value in state.items():
            setattr(timex._obj, name, value)
        return result

    monkeypatch.setattr(clock, "_adjtimex", adjtimex)
    return clock


async def test_the_kernels_bound_is_the_error(monkeypatch):
    assert ClockReading(9) == await kernel(monkeypatch, 0, maxerror=8001).read()


@pytest.mark.parametrize(("result", "status"), [(5, 0), (0, 0x40), (5, 0x40)])
async def test_the_kernel_may_say_that_nobody_synchronises(monkeypatch, result, status):
    with pytest.raises(TransientError, match="not synchronised"):
        await kernel(monkeypatch, result, status=status).read()


async def test_a_refused_system_call_is_named(monkeypatch):
    with pytest.raises(TransientError, match="adjtimex"):
        await kernel(monkeypatch, -1).read()


async def test_the_real_kernel_answers():
    try:
        reading = await KernelClock().read()
    except TransientError as error:
        assert "not synchronised" in error.message  # noqa: PT017 - either answer is one
    else:
        assert reading.error_ms >= 0


async def test_chronys_bound_is_offset_dispersion_and_half_the_delay(chronyc):
    chronyc(f"[ \"$*\" = '-c tracking' ] && printf '{ANSWER}'")

    assert ClockReading(8, "1795255200.870") == await ChronyClock().read()


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (SILENT, "not synchronised"),
        ("506 Cannot talk to daemon", "chronyc said"),
        (ANSWER.replace("0.012300", "soon"), "chronyc said"),
        (ANSWER.replace("0.012300", "NaN"), "not synchronised"),
        ("", "chronyc said"),
    ],
)
def test_an_answer_without_synchronisation_is_none(answer, why):
    with pytest.raises(TransientError, match=why):
        parse_tracking(answer)


async def test_a_chronyc_that_fails_is_quoted(chronyc):
    chronyc("echo 506 Cannot talk to daemon; exit 1")
    with pytest.raises(TransientError, match="506 Cannot talk to daemon"):
        await ChronyClock().read()


async def test_a_machine_without_chrony_says_so(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(TransientError, match="chronyc can't be run"):
        await ChronyClock().read()


async def test_a_chronyc_that_hangs_is_ended(chronyc, monkeypatch):
    chronyc("exec sleep 60")
    monkeypatch.setattr(time_source, "_TIMEOUT", 0.05)
    with pytest.raises(TransientError, match="did not answer"):
        await ChronyClock().read()
