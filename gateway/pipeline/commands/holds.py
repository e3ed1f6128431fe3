"""Held counter segments and gaps by hand: what was really made, for which order; and where a counter began."""

from gateway.pipeline.commands.desk import Handlers

HANDLERS: Handlers = {}
