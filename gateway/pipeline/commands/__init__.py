"""What a person, the ERP or a machine asks of the one writer: a handler for each kind of command."""

from gateway.pipeline.commands import (
    activation,
    alarms,
    closing,
    entries,
    holds,
    letters,
    orders,
    reversal,
    stock,
    work_list,
)
from gateway.pipeline.commands.desk import Desk, Handler, Handlers
from gateway.pipeline.commands.queue import CommandDesk

HANDLERS: Handlers = {
    **stock.HANDLERS,
    **reversal.HANDLERS,
    **closing.HANDLERS,
    **orders.HANDLERS,
    **entries.HANDLERS,
    **work_list.HANDLERS,
    **activation.HANDLERS,
    **holds.HANDLERS,
    **letters.HANDLERS,
    **alarms.HANDLERS,
}

__all__ = ["HANDLERS", "CommandDesk", "Desk", "Handler", "Handlers"]
