"""A state that is logged when it changes, and only then."""

import logging
from typing import Generic, TypeVar

Value = TypeVar("Value")


class Announced(Generic[Value]):
    """A value with a log line for each change; setting what it already is says nothing."""

    def __init__(self, value: Value, log: logging.Logger, name: str) -> None:
        self.value = value
        self._log = log
        self._name = name

    def set(self, value: Value, level: int = logging.INFO) -> None:
        """Take the new value, and log it if it is another."""
        if value != self.value:
            self.value = value
            self._log.log(level, "%s: %s", self._name, value)
