"""The immutable snapshot of master data that every posting names by its hash."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from gateway.domain.bom import BillOfMaterial
from gateway.domain.line import Line
from gateway.domain.lot import Staging
from gateway.domain.material import Item, Units
from gateway.domain.order import Order


@dataclass(frozen=True, slots=True, eq=False)  # compared by identity: it is swapped as a whole
class MasterData:
    """Items, units, BOMs and orders; `hash` is `sha256:…` over their content, whatever file it stood in.

    Stagings travel with the snapshot but are transfers, not master data: applied once, never hashed.
    `rejects_counted` are the (line, operation) whose rejects a rule counts: there the assembly's and the
    operation's scrap percentages don't apply. `reasons` are the reason codes with their texts.
    """

    hash: str
    items: Mapping[str, Item]
    units: Units
    boms: Mapping[tuple[str, str], BillOfMaterial]
    orders: Mapping[str, Order]
    stagings: tuple[Staging, ...] = ()
    lines: Mapping[str, Line] = field(default_factory=dict)
    rejects_counted: frozenset[tuple[str, str]] = frozenset()
    reasons: Mapping[str, str] = field(default_factory=dict)

    def active_order(self, line: str) -> str | None:
        """Return the order the line works on, None when there is none."""
        return next((one.order for one in self.orders.values() if one.active and one.line == line), None)
