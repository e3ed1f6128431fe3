"""A dictionary of changes over one that is not touched until they are applied."""

from collections.abc import Iterator, MutableMapping
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Overlay(Generic[K, V]):
    """Reads fall through to `base`; writes stay in `changed`, so that dropping the overlay undoes them."""

    __slots__ = ("base", "changed")

    def __init__(self, base: MutableMapping[K, V]) -> None:
        self.base = base
        self.changed: dict[K, V] = {}

    def get(self, key: K) -> V | None:
        """Return the value as the batch sees it."""
        found = self.changed.get(key)
        return self.base.get(key) if found is None else found

    def __setitem__(self, key: K, value: V) -> None:
        self.changed[key] = value

    def __iter__(self) -> Iterator[K]:
        yield from self.base
        yield from (key for key in self.changed if key not in self.base)

    def apply(self) -> None:
        """Write the changes into `base`."""
        self.base.update(self.changed)
