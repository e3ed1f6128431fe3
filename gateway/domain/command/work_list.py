"""What a person decides about an entry of the work list."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Retry:
    """Try again what waits in an exception; None: in all of them."""

    exception: int | None = None


@dataclass(frozen=True, slots=True)
class AcceptDeviation:
    """The deviation that holds an exception's first trigger, or a backlog (staged after use), is accepted.

    `seen`, of this and other commands: the hash of what is signed for as it was shown (formats.signed); the command is
    refused once that has changed. It is empty where nobody looked.
    """

    exception: int
    seen: str = ""


@dataclass(frozen=True, slots=True)
class CloseException:
    """Close an entry of the work list without posting what it holds: its units count as reversed, nothing is owed.

    `first`: only the trigger that holds up the others; they are tried again. `seen`: see SettleHold.
    """

    exception: int
    reason: str
    seen: str = ""
    first: bool = False
