"""`python -m tests.harness.launcher CONFIG`: forks a gateway for every line of standard input.

Importing takes longer than a gateway lives under repeated kills. So everything is imported here once; no loop,
thread or store is open when it forks. Says `started PID`, and `ended` when that process is gone. The line is
`run`, or names of ways to run it otherwise, such as broken on purpose (see broken.py).
"""

import os
import sys
import traceback
from pathlib import Path

from gateway.cli.app import app
from gateway.cli.run import run
from gateway.runtime import plugins
from tests.harness import broken


def main(folder: Path) -> None:
    assert app
    assert plugins.drivers()
    assert plugins.sinks()
    for line in sys.stdin:
        pid = os.fork()
        if not pid:
            _child(folder, line.strip())
        _say(f"started {pid}")
        os.waitpid(pid, 0)
        _say("ended")


def _child(folder: Path, way: str) -> None:
    try:
        for one in way.split():
            broken.WAYS[one]()
        run(folder)
        os._exit(0)
    except BaseException:  # noqa: BLE001 - the child must never go on as a launcher
        traceback.print_exc()
        os._exit(1)


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
