"""What a batch and its engine read: the committed state, under what the batch has changed so far."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from heapq import merge
from typing import Any

from gateway.backflush.allocate import first_expiry
from gateway.domain.document import Backlog
from gateway.domain.line import LineState
from gateway.domain.lot import LotBalance, LotKey, Owner
from gateway.domain.order import OrderState, Progress
from gateway.domain.quantity import ZERO
from gateway.domain.requirement import Requirement, RequirementKey
from gateway.pipeline.model import LineModel
from gateway.pipeline.overlay import Overlay, Shrinking
from gateway.pipeline.state import State

_NO_PROGRESS = Progress()
_NO_REQUIREMENT = Requirement()
_NO_ORDER_STATE = OrderState()
_NO_LINE_STATE = LineState()


class View:
    """The committed state as a batch sees it, with what the batch has changed; implements the engine's State.

    Dropped whole when the commit fails.
    """

    def __init__(self, state: State, model: LineModel) -> None:
        self.state = state
        self.model = model
        self.checkpoints = Overlay(state.checkpoints)
        self.watermarks = Overlay(state.watermarks)
        self.baselines = Overlay(state.baselines)
        self.lot_balances = Overlay(state.lots, state.by_lot)
        self.stock = Overlay(state.stock)
        self.requirements = Overlay(state.requirements)
        self.order_progress = Overlay(state.progress)
        self.exceptions = Overlay(state.exceptions)
        self.waiting = Overlay(state.waiting)
        self.tallies = Overlay(state.tallies)
        self.documents = Shrinking(state.documents, state.timetable, state.followers)
        self.windows = Shrinking(state.windows)
        self.follow_ups = Shrinking(state.follow_ups)
        self.seqs = Overlay(state.seqs)
        self.span_heads = Overlay(state.span_heads)
        self.backlogs = Shrinking(state.backlogs, state.short, state.owed)
        self.order_states = Overlay(state.order_states)
        self.line_states = Overlay(state.line_states)
        self.shadows = Overlay(state.shadows)

    def apply(self) -> None:
        """Make what was changed the state."""
        overlays: tuple[Overlay[Any, Any], ...] = (
            self.checkpoints,
            self.watermarks,
            self.baselines,
            self.lot_balances,
            self.stock,
            self.requirements,
            self.order_progress,
            self.exceptions,
            self.waiting,
            self.tallies,
            self.documents,
            self.windows,
            self.follow_ups,
            self.seqs,
            self.span_heads,
            self.backlogs,
            self.order_states,
            self.line_states,
            self.shadows,
        )
        for overlay in overlays:
            overlay.apply()

    def lots(self, owners: Sequence[Owner], item: str) -> Iterator[LotBalance]:
        """Yield the owners' lots of the item, first expiry first."""
        listed = []
        for owner in owners:
            if keys := self.stock.get((owner, item)):
                listed.append(keys)  # noqa: PERF401 - a comprehension is a call, and this is asked for each line
        if len(listed) == 1:
            return filter(None, map(self.lot_balances.get, listed[0]))
        return merge(*map(self.balances, listed), key=first_expiry)

    def balances(self, keys: Iterable[LotKey]) -> Iterator[LotBalance]:
        """Yield those of the balances that are in memory: a used-up one no longer is."""
        return filter(None, map(self.lot_balances.get, keys))

    def balances_of(self, item: str, lot: str) -> list[LotBalance]:
        """Return the balances of a lot that have something left, whoever owns them, in the order of their keys."""
        found = self.lot_balances.of(self.state.by_lot, (item, lot))
        return sorted((one for one in found if one.left > ZERO), key=lambda one: one.key)

    def owed(self, order: str, operation: str) -> list[Backlog]:
        """Return what triggers are still owed at the order's operation, oldest first."""
        return list(self.backlogs.of(self.state.owed, (order, operation)))

    def requirement(self, key: RequirementKey) -> Requirement:
        """Return what the component required and committed so far."""
        return self.requirements.get(key) or _NO_REQUIREMENT

    def progress(self, order: str, operation: str) -> Progress:
        """Return what the operation has made so far."""
        return self.order_progress.get((order, operation)) or _NO_PROGRESS

    def order_state(self, order: str) -> OrderState:
        """Return what happened to the order since it was released."""
        return self.order_states.get(order) or _NO_ORDER_STATE

    def line_state(self, line: str) -> LineState:
        """Return what happened at the line."""
        return self.line_states.get(line) or _NO_LINE_STATE

    def active_order(self, line: str, moment: datetime) -> str | None:
        """Return the order the line worked on then: the one that was started there, else the configured one."""
        started = self.line_state(line).order_at(moment)  # empty once it was finished
        return self.model.active_orders.get(line) if started is None else started or None
