"""A console on which nothing is cut off: on a terminal lines wrap, in a file or pipe a line stays a line."""

from rich.console import Console

_WIDE = 1000  # columns where nobody sees how many there are


def console() -> Console:
    """Return one for standard output."""
    found = Console(highlight=False)
    return found if found.is_terminal else Console(highlight=False, width=_WIDE)
