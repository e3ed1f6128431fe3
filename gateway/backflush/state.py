"""What the engine reads of the world: staged lots, cumulative requirements, and what happened to orders."""

from collections.abc import Iterable, Sequence
from typing import Protocol

from gateway.domain.lot import LotBalance, Owner
from gateway.domain.order import OrderState, Progress
from gateway.domain.requirement import Requirement, RequirementKey


class Stock(Protocol):
    """The staged lots, as the working copy of a batch sees them."""

    def lots(self, owners: Sequence[Owner], item: str) -> Iterable[LotBalance]:
        """Return the owners' lots of the item that have anything left, in the order of `allocate.first_expiry`."""
        ...


class State(Stock, Protocol):
    """The engine only reads it; what follows is in the outcome's changes."""

    def requirement(self, key: RequirementKey) -> Requirement:
        """Return what the component required and committed so far."""
        ...

    def progress(self, order: str, operation: str) -> Progress:
        """Return what the operation has made so far."""
        ...

    def order_state(self, order: str) -> OrderState:
        """Return what happened to the order since it was released."""
        ...
