"""Every error the gateway raises on purpose.

GatewayError(message, hint)
├ ConfigError          file:line, exit 2 before any I/O
├ TransientError       device or sink unreachable, store busy: retried with back-off
│ ├ Postponed          a sink wants the same documents later, and says when
│ └ TooLarge           a sink takes the same documents in smaller requests
├ DataError            undecodable, bad quality, unknown material: kept (dead letter / exception), then acknowledged
├ SinkRejected         the central system said no to the whole request: visible, never retried blindly
├ CommandRefused       a person's or the ERP's command can't be carried out as given
└ StoreError           intake stops, nothing is acknowledged, health says so, recovery is automatic where it can be
  ├ StoreDamaged       the file is not what was committed: a person chooses how to go on, exit 65
  └ StoreFull          the disk is full: intake is paused until there is room again

A message says what, which object, which value; the hint says what to do.
"""


class GatewayError(Exception):
    """Base of all: `message` says what is wrong, `hint` what to do about it."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} ({self.hint})" if self.hint else self.message


class ConfigError(GatewayError):
    """The configuration can't be used; the message has one `file:line: …` row per fault."""


class TransientError(GatewayError):
    """It may work next time: a device, sink or the store did not answer."""


class Postponed(TransientError):
    """A sink wants the same documents later: not before `retry_after` seconds."""

    def __init__(self, message: str, retry_after: float) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class TooLarge(TransientError):
    """A sink takes the same documents in smaller requests."""


class DataError(GatewayError):
    """What came in can't be understood or used as it is."""


class SinkRejected(GatewayError):
    """The central system refused the request as a whole; a person has to look."""


class CommandRefused(GatewayError):
    """A command contradicts what the store already knows."""


class StoreError(GatewayError):
    """The store did not take the batch; nothing of it may be acknowledged."""


class StoreDamaged(StoreError):
    """The store's file is not what was committed: nothing goes on until a person has chosen how."""


class StoreFull(StoreError):
    """The store's disk is full; what waits is taken once there is room again."""
