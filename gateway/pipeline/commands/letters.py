"""Dead letters and refused postings by hand: tried again, or set aside."""

from gateway.pipeline.commands.desk import Handlers

HANDLERS: Handlers = {}
