"""What turns an event into a trigger: a versioned rule of exactly one signal."""

from dataclasses import dataclass

from gateway.domain.event import EventKind, SignalId
from gateway.domain.line import Cumulation


@dataclass(frozen=True, slots=True)
class TriggerRule:
    """Units of `signal` are `event`s at `operation`.

    The order comes with the count: from the device's signal `order_signal`, or from the event message
    itself (`order_from_event`); where that says nothing, `fallback_active` takes the line's active order.
    Without `cumulate` each trigger is a document of its own. A `shadow` rule never posts: what it would have
    consumed is reported beside what was.
    """

    rule: str
    version: int
    signal: SignalId
    event: EventKind
    operation: str
    order_signal: str | None = None
    order_from_event: bool = False
    fallback_active: bool = False
    cumulate: Cumulation | None = None
    shadow: bool = False
