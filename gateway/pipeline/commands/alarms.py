"""What the gateway tells of itself: raised in the work list, closed when it is over."""

from gateway.pipeline.commands.desk import Handlers

HANDLERS: Handlers = {}
