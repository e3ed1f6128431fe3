"""How a connection to a device or a sink stands."""

from dataclasses import dataclass
from enum import StrEnum


class Link(StrEnum):
    """How a device's connection stands."""

    CONNECTING = "connecting"
    CONNECTED = "connected"
    DEGRADED = "degraded"  # connected, but a signal is invalid or silent
    DISCONNECTED = "disconnected"


@dataclass(frozen=True, slots=True)
class Health:
    """A device's or sink's state, with the sentence a person needs when it isn't fine."""

    link: Link
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.link}: {self.detail}" if self.detail else str(self.link)
