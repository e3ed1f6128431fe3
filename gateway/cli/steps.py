"""What a long command is doing right now: one line on a terminal, nothing in a log."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console

from gateway.store.verify import Progress

_UNITS = {"copying": "MB"}  # of the figures that aren't entries


@contextmanager
def steps() -> Iterator[Progress]:
    """Give what the command tells its steps; they are shown on standard error."""
    console = Console(stderr=True, highlight=False)
    with console.status("") as status:
        yield lambda name, number: status.update(f"{name} {number:,} {_UNITS.get(name, 'entries')}" if number else name)
