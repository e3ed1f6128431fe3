"""The live table: what each signal counted, where it is, and what is blocked."""

from collections import deque
from dataclasses import dataclass, field
from decimal import Decimal

from rich.console import Group
from rich.table import Table
from rich.text import Text

from gateway.cli.plain import plain
from gateway.domain.event import SignalId
from gateway.domain.exception import ExceptionRecord
from gateway.domain.health import Link
from gateway.domain.quantity import ZERO, text
from gateway.runtime.gateway import Gateway
from gateway.store.batch import Tally

_COLOUR = {Link.CONNECTED: "green", Link.DEGRADED: "yellow", Link.CONNECTING: "yellow", Link.DISCONNECTED: "red"}
_WINDOW = 10.0  # seconds a rate is taken over
_SHOWN = 4  # blocked entries that fit below the table


@dataclass(slots=True)
class LiveTable:
    """Renders a gateway's state; `seconds` is the running time, for the rates. `said`: what happened beside."""

    gateway: Gateway
    said: list[str] = field(default_factory=list)
    _seen: dict[SignalId, deque[tuple[float, Decimal]]] = field(default_factory=dict)

    def render(self, seconds: float, delivered: int) -> Group:
        """Return the table at that moment; `delivered`: seq the central system has."""
        state = self.gateway.pipeline.writer.state
        table = Table(title=f"gateway {self.gateway.config.gateway.gateway}  ·  {seconds:.0f} s", expand=False)
        for column in ("device", "state", "signal"):
            table.add_column(column)
        for column in ("counted", "rate/s", "posted", "scrapped", "held", "reversed"):
            table.add_column(column, justify="right")
        health = self.gateway.devices.health()
        for signal, tally in sorted(state.tallies.items()):
            link = health[signal.device].link if signal.device in health else Link.DISCONNECTED
            table.add_row(*self._row(signal, tally, link, seconds))
        return Group(table, self._footer(state.head.seq, delivered, list(state.exceptions.values())))

    def _row(self, signal: SignalId, tally: Tally, link: Link, seconds: float) -> list[Text | str]:
        held = Text(_shown(tally.held), style="red" if tally.held else "")
        return [
            signal.device,
            Text(link.value, style=_COLOUR[link]),
            signal.signal,
            f"{_shown(tally.counted)} {tally.uom}".rstrip(),
            self._rate(signal, tally.counted, seconds),
            _shown(tally.posted),
            _shown(tally.scrapped),
            held,
            _shown(tally.reversed),
        ]

    def _rate(self, signal: SignalId, counted: Decimal, seconds: float) -> str:
        seen = self._seen.setdefault(signal, deque())
        seen.append((seconds, counted))
        while seconds - seen[0][0] > _WINDOW:
            seen.popleft()
        elapsed = seconds - seen[0][0]
        return f"{float(counted - seen[0][1]) / elapsed:.1f}" if elapsed else "–"

    def _footer(self, seq: int, delivered: int, blocked: list[ExceptionRecord]) -> Text:
        intake = len(self.gateway.pipeline.intake)
        windows = len(self.gateway.pipeline.writer.state.documents)
        buffer = f"buffer {seq - delivered} to deliver, {intake} to commit"
        line = Text(f"postings {seq}  ·  {windows} windows open  ·  {buffer}  ·  ")
        line.append(f"blocked {len(blocked)}", style="red" if blocked else "green")
        for one in blocked[:_SHOWN]:
            line.append(f"\n  {'/'.join(one.scope)} holds {_shown(one.quantity)}: {plain(one.reason)}", style="red")
        for said in self.said[-_SHOWN:]:
            line.append(f"\n  {plain(said)}", style="cyan")
        if self.gateway.pipeline.failure:
            line.append(f"\n  store: {plain(self.gateway.pipeline.failure)}", style="bold red")
        return line


def _shown(quantity: Decimal) -> str:
    return text(quantity or ZERO)
