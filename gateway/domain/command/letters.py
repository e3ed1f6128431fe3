"""What a person decides about messages that could not be read or done."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RedriveLetter:
    """Read a dead letter again, by the configuration in force now."""

    letter: int


@dataclass(frozen=True, slots=True)
class DiscardLetter:
    """Set a dead letter aside: a person saw it, and nothing is to come of it."""

    letter: int
    reason: str
