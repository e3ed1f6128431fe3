"""A dictionary of changes over one that is not touched until they are applied."""

from collections.abc import Callable, Mapping, MutableMapping
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class _Seen(dict[K, V | None]):
    """What was read or written so far; the first read of a key looks it up in `base`."""

    __slots__ = ("base",)

    def __init__(self, base: MutableMapping[K, V]) -> None:
        super().__init__()
        self.base = base

    def __missing__(self, key: K) -> V | None:
        value = self[key] = self.base.get(key)
        return value


class Overlay(Generic[K, V]):
    """Reads fall through to `base`; writes stay in `changed`, so that dropping the overlay undoes them.

    `get` returns the value as the batch sees it, None where there is none. It is the dictionary's own method:
    a batch reads what it has touched many times, and those reads cost no call of Python's.
    """

    __slots__ = ("_seen", "base", "changed", "get")

    def __init__(self, base: MutableMapping[K, V]) -> None:
        self.base = base
        self.changed: dict[K, V] = {}
        self._seen = _Seen(base)
        self.get: Callable[[K], V | None] = self._seen.__getitem__

    def __setitem__(self, key: K, value: V) -> None:
        self.changed[key] = self._seen[key] = value

    def update(self, changes: Mapping[K, V]) -> None:
        """Write all of the changes."""
        self.changed.update(changes)
        self._seen.update(changes)

    def apply(self) -> None:
        """Write the changes into `base`."""
        self.base.update(self.changed)
