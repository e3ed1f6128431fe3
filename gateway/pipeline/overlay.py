"""A dictionary of changes over one that is not touched until they are applied."""

from collections.abc import Callable, Iterator, Mapping, MutableMapping
from typing import Generic, TypeVar

from gateway.pipeline.index import Index, Kept

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
    a batch reads what it has touched many times, and those reads cost no call of Python's. The indexes are those of
    `base`.
    """

    __slots__ = ("_indexes", "_seen", "base", "changed", "get")

    def __init__(self, base: MutableMapping[K, V], *indexes: Kept[K, V]) -> None:
        self.base = base
        self._indexes = indexes
        self.changed: dict[K, V] = {}
        self._seen = _Seen(base)
        self.get: Callable[[K], V | None] = self._seen.__getitem__

    def __setitem__(self, key: K, value: V) -> None:
        self.changed[key] = self._seen[key] = value

    def update(self, changes: Mapping[K, V]) -> None:
        """Write all of the changes."""
        self.changed.update(changes)
        self._seen.update(changes)

    def of(self, index: Index[K, V], group: object) -> Iterator[V]:
        """Yield what is of the group as the batch sees it, the committed ones first."""
        for key in index.keys(group):
            if (value := self.get(key)) is not None:
                yield value
        for key, value in self.changed.items():
            if key not in self.base and index.group(value) == group:
                yield value

    def apply(self) -> None:
        """Write the changes into `base`."""
        for index in self._indexes:
            for key, value in self.changed.items():
                index.put(key, self.base.get(key), value)
        self.base.update(self.changed)


class Shrinking(Overlay[K, V]):
    """An overlay whose entries come to an end: an open document closes, a backlog is settled."""

    __slots__ = ("_dropped",)

    def __init__(self, base: MutableMapping[K, V], *indexes: Kept[K, V]) -> None:
        super().__init__(base, *indexes)
        self._dropped: dict[K, None] = {}

    def __setitem__(self, key: K, value: V) -> None:
        self._dropped.pop(key, None)
        super().__setitem__(key, value)

    def drop(self, key: K) -> None:
        """End the entry."""
        self.changed.pop(key, None)
        self._seen[key] = None
        self._dropped[key] = None

    def items(self) -> Iterator[tuple[K, V]]:
        """Yield what is there as the batch sees it, oldest first."""
        for key, value in self.base.items():
            if key not in self.changed and key not in self._dropped:
                yield key, value
            elif key in self.changed:
                yield key, self.changed[key]
        yield from ((key, value) for key, value in self.changed.items() if key not in self.base)

    def ended(self) -> dict[K, V]:
        """Return the committed entries that came to an end."""
        return {key: self.base[key] for key in self._dropped if key in self.base}

    def written(self) -> dict[K, V | None]:
        """Return the changes as rows: None where an entry of `base` ended."""
        return {**self.changed, **dict.fromkeys(self.ended())}

    def apply(self) -> None:
        """Write the changes into `base`, without what ended."""
        super().apply()
        for key, value in self.ended().items():
            del self.base[key]
            for index in self._indexes:
                index.discard(key, value)
