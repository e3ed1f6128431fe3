"""What is asked of the gateway itself, or what it tells of itself."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TrustClock:
    """A person looked at the clock and believes it, until the next boot."""


@dataclass(frozen=True, slots=True)
class Activate:
    """Put a configuration into force in regulated mode: its hash is what is signed."""

    configuration: str


@dataclass(frozen=True, slots=True)
class RaiseAlarm:
    """The gateway itself is in trouble (a full disk, say): in the work list until it is over. Only it gives this.

    `about` names the part of it; of that part and code there is one entry, which says anew what isn't only a number.
    """

    code: str
    reason: str
    about: str = "gateway"


@dataclass(frozen=True, slots=True)
class ClearAlarm:
    """What an alarm told of is over, and how that came. Only the gateway itself gives this."""

    code: str
    reason: str
    about: str = "gateway"
