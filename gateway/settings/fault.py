"""One row for each thing wrong with a configuration, all of them in one error."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from difflib import get_close_matches

from gateway.errors import ConfigError

Step = str | int
_MOST_NAMES = 12


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """What is wrong at `file:line`, and at which key (`signals.good.counter.max_rate`)."""

    file: str
    line: int
    where: str
    message: str

    def __str__(self) -> str:
        where = f"{self.where}: " if self.where else ""
        return f"{self.file}:{self.line}: {where}{self.message}"


@dataclass(slots=True)
class Faults:
    """Everything found so far."""

    found: set[Fault] = field(default_factory=set)

    def add(self, *faults: Fault) -> None:
        """Keep these faults."""
        self.found.update(faults)

    def report(self) -> None:
        """Raise one ConfigError with a row a fault, by file and line; nothing happens where none was found."""
        if self.found:
            raise ConfigError("\n".join(str(fault) for fault in sorted(self.found)))


def dotted(path: Iterable[Step]) -> str:
    """Return a path as a person writes it: `boms[0].components[2].uom`."""
    parts = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return "".join(parts).removeprefix(".")


def hint(name: str, known: Iterable[str]) -> str:
    """Return what `name` was perhaps meant to be, or what it could have been."""
    names = sorted(known)
    # A number near another one is no typing error, it is another order or operation.
    close = [] if name.isdecimal() else get_close_matches(name, names, n=1)
    if close:
        return f"did you mean {close[0]!r}?"
    more = "" if len(names) <= _MOST_NAMES else f" … ({len(names)} in all)"
    return f"known are {', '.join(names[:_MOST_NAMES])}{more}" if names else "there are none yet"
