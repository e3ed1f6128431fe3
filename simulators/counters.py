"""The boot id and cumulative counters of one device."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from simulators.ledger import Entry, Ledger, utc_now

FRESH = Entry(at="", quantity=Decimal(0), uom="", boot=0, seq=0, value=0)


@dataclass(frozen=True, slots=True)
class Counted:
    """What a signal counts: integers of 10^-decimals `uom`, rolling over at `modulus`."""

    signal: str
    uom: str = "EA"
    modulus: int | None = None
    decimals: int = 0
    named: bool = False  # each entry has an id of its own: device-boot-seq


class Counters:
    """Counts in the ledger first and only then where a client can see it.

    A new process is a new boot. A retentive device comes back with its old values, another with 0;
    `initial` presets the values of a device that never ran in this ledger.
    """

    def __init__(
        self,
        ledger: Ledger,
        device: str,
        counted: tuple[Counted, ...],
        *,
        retentive: bool = True,
        initial: Mapping[str, int] | None = None,
    ) -> None:
        self._ledger = ledger
        self.device = device
        self._counted = {one.signal: one for one in counted}
        last = {signal: ledger.last(device, signal) for signal in self._counted}
        self._now = {signal: entry or FRESH for signal, entry in last.items()}
        self.boot = max(entry.boot for entry in self._now.values())
        first_run = self.boot == 0
        self.restart(retentive=retentive)
        for signal, value in (initial or {}).items():
            if first_run and value:
                self.preset(signal, value)

    def value(self, signal: str) -> int:
        """The raw counter as a client reads it."""
        return self._now[signal].value

    def add(self, signal: str, step: int) -> Entry:
        """Count `step` more and return the entry as written."""
        now, counted = self._now[signal], self._counted[signal]
        seq = now.seq + 1
        value = now.value + step
        quantity = Decimal(step).scaleb(-counted.decimals)
        key = f"{self.device}-{self.boot}-{seq}" if counted.named else None
        return self._write(
            signal,
            Entry(utc_now(), quantity, counted.uom, self.boot, seq, self._wrapped(counted, value), key),
        )

    def pass_over(self, signal: str) -> Entry:
        """Use a sequence number for what is no unit, and return the entry as written."""
        now = self._now[signal]
        return self._write_nothing_made(signal, replace(now, seq=now.seq + 1))

    def restart(self, *, retentive: bool = False) -> None:
        """A new boot; the values go to 0 unless they are retentive."""
        self.boot = self.boot + 1
        for signal, now in self._now.items():
            kept = now if retentive else replace(now, seq=0, value=0)
            self._write_nothing_made(signal, kept)

    def preset(self, signal: str, value: int) -> None:
        """Set a counter as a technician does: same boot, nothing made."""
        self._write_nothing_made(signal, replace(self._now[signal], value=value))

    def swap(self, value: int) -> None:
        """Another device in the same place: a boot id from another history, counters at `value`."""
        self.boot = self.boot + 100
        for signal in self._counted:
            self.preset(signal, value)

    def _write_nothing_made(self, signal: str, state: Entry) -> Entry:
        counted = self._counted[signal]
        value = self._wrapped(counted, state.value)
        entry = replace(state, at=utc_now(), quantity=Decimal(0), uom=counted.uom, boot=self.boot, value=value, id=None)
        return self._write(signal, entry)

    def _write(self, signal: str, entry: Entry) -> Entry:
        self._ledger.append(self.device, signal, entry)
        self._now[signal] = entry
        return entry

    @staticmethod
    def _wrapped(counted: Counted, value: int) -> int:
        return value if counted.modulus is None else value % counted.modulus
