"""A few thousand steps of the simulation, and the mistakes it has to find; `python -m tests.simulation` goes on."""

import os
import subprocess
import sys
from itertools import count

import pytest

from tests.simulation.bugs import BUGS, planted
from tests.simulation.runner import play, search
from tests.simulation.schedule import draw, shrink

SEEDS, STEPS = 8, 1000
SHORT = 30  # steps: what a person can follow
_FINGERPRINT = "from tests.simulation.runner import fingerprint; print(fingerprint(3, 400))"


@pytest.mark.timeout(300)
@pytest.mark.parametrize("half", [0, 1])  # each on a core of its own
def test_whatever_happens_nothing_is_lost_and_nothing_twice(half):
    for seed in range(1 + half, 1 + SEEDS, 2):
        broken = play(draw(seed, STEPS))

        assert not broken, f"python -m tests.simulation --seed {seed} --steps {STEPS}: {broken}"


@pytest.mark.timeout(300)
@pytest.mark.parametrize("bug", BUGS)
def test_a_planted_mistake_is_found_and_its_schedule_made_short(bug):
    with planted(bug):
        failure = next(found for seed in count(1) if (found := search(seed, 500)))
        again = play(failure.steps)
    healthy = play(failure.steps)

    assert len(failure.steps) <= SHORT, failure
    assert failure.what == again
    assert not healthy


def test_a_seed_is_the_same_again_whatever_the_hashes_of_the_process():
    told = [_told({**os.environ, "PYTHONHASHSEED": str(seed)}, "-c", _FINGERPRINT) for seed in (1, 2)]

    assert told[0].stdout == told[1].stdout
    assert len(told[0].stdout.strip()) == 64


def test_the_command_tells_the_seed_and_the_steps_of_a_failure():
    told = _told(os.environ, "-m", "tests.simulation", "--steps", "100", "--bug", "page-off-by-one")

    assert told.returncode == 1
    assert "again: python -m tests.simulation --seed 1 --steps 100 --bug page-off-by-one" in told.stdout


def test_a_schedule_is_shrunk_to_the_steps_that_matter():
    steps = [("step", number) for number in range(100)]

    assert [("step", 7), ("step", 80)] == shrink(steps, lambda some: {("step", 7), ("step", 80)} <= set(some))


def _told(environment, *arguments) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: PLW1510  # its exit code is looked at
        [sys.executable, *arguments], env=environment, capture_output=True, text=True, timeout=100
    )
