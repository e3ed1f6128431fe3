"""What the pipeline knows of each signal: how it counts, which rule it fires, whose context it needs."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from gateway.counting.counter import Counter
from gateway.domain.event import EventKind, SignalId
from gateway.domain.masterdata import MasterData
from gateway.domain.rule import TriggerRule


@dataclass(frozen=True, slots=True)
class Point:
    """One configured signal. A counter has `counter`; a signal that is neither counter nor event is context."""

    id: SignalId
    line: str
    counter: Counter | None = None
    epoch_signal: str | None = None
    order_signal: str | None = None
    rule: TriggerRule | None = None
    is_event: bool = False

    @property
    def is_context(self) -> bool:
        """Whether counters beside it refer to it, and it makes no event itself."""
        return self.counter is None and not self.is_event

    @property
    def kind(self) -> EventKind:
        """What its units are; only asked of points with a rule."""
        return self.rule.event if self.rule else EventKind.GOOD_UNITS


@dataclass(frozen=True, slots=True)
class LineModel:
    """Signals, rules and master data in force; swapped as a whole between two batches.

    `snapshot` is the master data's plain content as JSON. `activated`: in regulated mode nothing posts under a
    `configuration` (hash of devices, rules and master data) that nobody has signed; `regulated`: nor what a counter
    counts from a baseline that nobody has. `shadow_rules` are on trial: they never post.
    """

    points: Mapping[SignalId, Point]
    master: MasterData
    active_orders: Mapping[str, str | None]  # by line
    snapshot: bytes = b"{}"
    activated: bool = True
    regulated: bool = False
    configuration: str = ""
    shadow_rules: Mapping[SignalId, tuple[TriggerRule, ...]] = field(default_factory=dict)
