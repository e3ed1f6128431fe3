"""Another configuration comes into force between two batches: rules, signals and master data as one."""

from dataclasses import replace

from gateway.errors import CommandRefused, StoreError
from gateway.pipeline import documents, line_orders, stock
from gateway.pipeline.commands.desk import Desk
from gateway.pipeline.model import LineModel


async def activate(desk: Desk, model: LineModel) -> None:
    """Close the windows of other master data, apply new stagings, try again what waits.

    CommandRefused, StoreError: the former model stays in force.
    """
    writer = desk.writer
    if model.configuration and model.configuration == writer.state.activated:  # somebody has signed it already
        model = replace(model, activated=True)
    before, writer.model = writer.model, model
    try:
        work = desk.working_copy()
        work.record("activation", _content(model))
        documents.close_outdated(work)
        line_orders.configured(work)
        await stock.stage_all(writer, work, model.master.stagings, "master data")
        await desk.finish(work)
        await desk.retry_all()
    except (CommandRefused, StoreError):
        writer.model = before  # the caller goes on with its old configuration
        raise


def _content(model: LineModel) -> dict[str, object]:
    return {
        "master_data": model.master.hash,
        "active_orders": dict(model.active_orders),
        "activated": model.activated,
        "configuration": model.configuration,
    }
