"""Another configuration comes into force between two batches: rules, signals and master data as one."""

from dataclasses import replace

from gateway.errors import CommandRefused, StoreError
from gateway.pipeline import documents, line_orders, recording, stock
from gateway.pipeline.commands.desk import Desk
from gateway.pipeline.model import LineModel


async def activate(desk: Desk, model: LineModel) -> None:
    """Put the model in force, try again what waits; CommandRefused where the former one stays."""
    await put_in_force(desk, model)
    await desk.retry_all()


async def put_in_force(desk: Desk, model: LineModel) -> None:
    """Close the windows of other master data, apply new stagings.

    CommandRefused, StoreError: the former model stays in force.
    """
    writer = desk.writer
    if model.configuration and model.configuration == writer.state.activated:  # somebody has signed it already
        model = replace(model, activated=True)
    before, writer.model = writer.model, model
    try:
        new = await stock.not_applied(writer, model.master.stagings)
        work = desk.working_copy()
        work.record("activation", recording.activation(model, new))
        work.must_commit = True  # whatever changed: a replay has to know which configuration was in force
        documents.close_outdated(work)
        line_orders.configured(work)
        await stock.stage_all(writer, work, new, "master data")
        await desk.finish(work)
    except (CommandRefused, StoreError):
        writer.model = before  # the caller goes on with its old configuration
        raise
