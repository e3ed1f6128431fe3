"""Signed activation: in regulated mode a configuration takes effect when somebody has signed its hash."""

from dataclasses import replace

from gateway.domain.command import Activate
from gateway.domain.signature import Author
from gateway.errors import CommandRefused
from gateway.pipeline.commands.desk import Desk, Handlers
from gateway.pipeline.commands.signing import signed


async def activate(desk: Desk, command: Activate, author: Author) -> bool:
    """Let triggers post under the configuration that is loaded; False where it is in force already."""
    model = desk.writer.model
    if command.configuration != model.configuration:
        raise CommandRefused(
            f"configuration {command.configuration} is not the one that is loaded, {model.configuration}",
            "have it loaded first (SIGHUP), then sign",
        )
    if model.activated:
        return False
    work = desk.begin(command, author)
    what = {"configuration": model.configuration, "master_data": model.master.hash}
    work.add_journal("activated", {**what, **signed(author)})
    work.rows.activated = model.configuration
    await desk.finish(work)
    desk.writer.model = replace(model, activated=True)
    return True


HANDLERS: Handlers = {Activate: activate}
