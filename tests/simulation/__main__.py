"""`python -m tests.simulation`: one schedule after the other, until the steps or the minutes are up or one fails."""

import argparse
import sys
import time

from tests.simulation.bugs import BUGS, planted
from tests.simulation.runner import Failure, search

EPISODE = 1000  # steps in a world of its own, unless fewer are asked for


def main() -> int:
    """Return 1 when a schedule failed."""
    asked = _asked()
    begun, done, seed = time.process_time(), 0, asked.seed
    with planted(asked.bug):
        while done < asked.steps and time.process_time() - begun < asked.minutes * 60:
            steps = min(EPISODE, asked.steps - done)
            if failure := search(seed, steps, lambda what: _say(f"it fails and is made short: {what}")):
                _tell(failure, steps, asked.bug)
                return 1
            done, seed = done + steps, seed + 1
            if (seed - asked.seed) % 10 == 0:
                _count(done, begun, seed)
    _count(done, begun, seed)
    return 0


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="of the first schedule; the next has the next one")
    parser.add_argument("--steps", type=float, default=float("inf"), help="in all")
    parser.add_argument("--minutes", type=float, default=1.0, help="of CPU time")
    parser.add_argument("--bug", choices=sorted(BUGS), default="", help="a mistake to put into the gateway first")
    asked = parser.parse_args()
    asked.steps = int(asked.steps) if asked.steps != float("inf") else sys.maxsize
    return asked


def _count(done: int, begun: float, seed: int) -> None:
    passed = time.process_time() - begun
    rate = done / passed * 60 if passed else 0
    _say(f"{done} steps in {passed:.1f} s of CPU time: {rate:,.0f} a minute; next seed {seed}")


def _tell(failure: Failure, steps: int, bug: str) -> None:
    again = f"python -m tests.simulation --seed {failure.seed} --steps {steps}" + (f" --bug {bug}" if bug else "")
    _say(f"\n{failure.what}\n\nseed {failure.seed}; {len(failure.steps)} steps are enough:")
    for step in failure.steps:
        _say(f"    {step},")
    _say(f"again: {again}")


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
