"""What a verification found: one check a question, with the first few faults and their number."""

from dataclasses import dataclass

from gateway.store.batch import Head
from gateway.store.verified import Verified

_SHOWN = 3  # one broken link makes many faults; the first ones tell where it is


@dataclass(frozen=True, slots=True)
class Check:
    """One question and its answer; `detail` is the figure when it is fine, the faults when it isn't."""

    name: str
    ok: bool
    detail: str


@dataclass(frozen=True, slots=True)
class Report:
    """Every check of a store; `reached`: how far it came, if nothing was found; `since`: where it went on from."""

    checks: tuple[Check, ...]
    reached: Verified | None = None
    since: Head | None = None

    @property
    def ok(self) -> bool:
        """Tell whether every check passed."""
        return all(one.ok for one in self.checks)


class Findings:
    """Collects the faults of one check without keeping all of them."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._first: list[str] = []
        self._count = 0

    def add(self, fault: str) -> None:
        """Note one fault."""
        self._count += 1
        if len(self._first) < _SHOWN:
            self._first.append(fault)

    def expect(self, expected: object, actual: object, what: str) -> None:
        """Note a fault where the two differ."""
        if expected != actual:
            self.add(f"{what}: expected {expected}, found {actual}")

    def check(self, fine: str) -> Check:
        """Return the answer; `fine` is its detail when there was no fault."""
        if not self._count:
            return Check(self.name, ok=True, detail=fine)
        more = self._count - len(self._first)
        rest = [f"and {more} more"] if more else []
        return Check(self.name, ok=False, detail="; ".join(self._first + rest))
