"""The rest of what was short when its trigger posted: taken as soon as something is there."""

from gateway.backflush.allocate import Need, allocate
from gateway.backflush.book import booked, booking
from gateway.backflush.draft import Draft
from gateway.backflush.due import Due
from gateway.backflush.explode import PlannedComponent, PlannedOperation
from gateway.backflush.issue import shortage, write
from gateway.backflush.outcome import Blocked, Booked, Waits
from gateway.backflush.state import State
from gateway.backflush.step import guarded, planned_for
from gateway.domain.document import Backlog, Part
from gateway.domain.event import Trigger
from gateway.domain.masterdata import MasterData
from gateway.domain.posting import Output, PostingType
from gateway.domain.quantity import ZERO


def settle(state: State, master: MasterData, trigger: Trigger, backlog: Backlog) -> Booked | Blocked:
    """Take as much of the backlog as is there; what then is still short is in `backlogs` again.

    The booking counts nothing and changes no requirement: what is calculated was committed when the trigger posted.
    """
    return guarded(lambda: _settled(state, master, trigger, backlog))


def _settled(state: State, master: MasterData, trigger: Trigger, backlog: Backlog) -> Booked:
    plan = planned_for(master, state.order_state(trigger.order), trigger)
    planned = _component(plan, backlog)
    draft = Draft(state, master, trigger, plan, ZERO)
    need = Need(backlog.quantity, backlog.key.uom)
    allocation = allocate(draft, planned, need)
    if not allocation.picks:
        raise Waits("shortage", shortage(draft, planned, need, allocation).blocked.reason)
    owed = Due(need.quantity, need.uom, state.requirement(planned.key), calculated=backlog.calculated)
    write(draft, planned, owed, allocation, ZERO)
    if allocation.missing:
        draft.backlogs.append((planned.key, allocation.missing))
    output = Output(ZERO, ZERO, ZERO, plan.operation.unit)
    return booked(draft, (booking(draft, draft.issues, Part.BACKLOG, PostingType.COMPONENT, output),))


def _component(plan: PlannedOperation, backlog: Backlog) -> PlannedComponent:
    for planned in plan.components:
        if planned.key == backlog.key:
            return planned
    raise Waits("no-component", f"BOM {plan.bom.bom} version {plan.bom.version} has no line {backlog.key.bom_line} now")
