"""A dictionary of changes over one that is not touched until they are applied."""

from collections.abc import Callable, MutableMapping
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class _Changes(dict[K, V]):
    __slots__ = ("base",)

    def __init__(self, base: MutableMapping[K, V]) -> None:
        super().__init__()
        self.base = base

    def __missing__(self, key: K) -> V | None:
        return self.base.get(key)


class Overlay(Generic[K, V]):
    """Reads fall through to `base`; writes stay in `changed`, so that dropping the overlay undoes them.

    `get` returns the value as the batch sees it, None where there is none. It is the dictionary's own method:
    a batch reads what it has touched many times, and those reads cost no call of Python's.
    """

    __slots__ = ("base", "changed", "get")

    def __init__(self, base: MutableMapping[K, V]) -> None:
        self.base = base
        self.changed: dict[K, V] = _Changes(base)
        self.get: Callable[[K], V | None] = self.changed.__getitem__

    def __setitem__(self, key: K, value: V) -> None:
        self.changed[key] = value

    def apply(self) -> None:
        """Write the changes into `base`."""
        self.base.update(self.changed)
