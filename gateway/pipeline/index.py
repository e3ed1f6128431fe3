"""Ways into what memory keeps: the entries that share something, and what is due by when. Kept by the overlays."""

from bisect import bisect_left, insort
from collections.abc import Callable, Iterator, KeysView, Mapping
from datetime import datetime
from typing import Generic, Protocol, TypeVar

from gateway.domain.document import Document

K = TypeVar("K")
V = TypeVar("V")
V_contra = TypeVar("V_contra", contravariant=True)
K_contra = TypeVar("K_contra", contravariant=True)


class Kept(Protocol[K_contra, V_contra]):
    """What is told of each entry that comes into a dictionary, changes there or leaves it."""

    def put(self, key: K_contra, before: V_contra | None, value: V_contra) -> None:
        """An entry comes in, or was something else before."""
        ...

    def discard(self, key: K_contra, value: V_contra) -> None:
        """The entry leaves."""
        ...


class Index(Generic[K, V]):
    """The keys of the entries that share a group, in the order they came; a change never takes one to another group.

    What `group` returns None for is not in it.
    """

    __slots__ = ("_groups", "group")

    def __init__(self, group: Callable[[V], object], entries: Mapping[K, V]) -> None:
        self.group = group
        self._groups: dict[object, dict[K, None]] = {}
        for key, value in entries.items():
            self.put(key, None, value)

    def __contains__(self, group: object) -> bool:
        return group in self._groups

    def keys(self, group: object) -> KeysView[K]:
        """Return the keys of a group."""
        return self._groups.get(group, {}).keys()

    def put(self, key: K, before: V | None, value: V) -> None:
        """An entry comes in."""
        if before is None and (group := self.group(value)) is not None:
            self._groups.setdefault(group, {})[key] = None

    def discard(self, key: K, value: V) -> None:
        """The entry leaves."""
        group = self.group(value)
        if (keys := self._groups.get(group)) is not None:
            keys.pop(key, None)
            if not keys:
                del self._groups[group]


class Timetable:
    """When the clock closes which document."""

    __slots__ = ("_dues",)

    def __init__(self, documents: Mapping[int, Document]) -> None:
        self._dues = sorted((one.due, number) for number, one in documents.items() if one.due is not None)

    def until(self, now: datetime) -> Iterator[int]:
        """Yield what is due by then, the earliest first."""
        for due, number in self._dues:
            if due > now:
                return
            yield number

    def put(self, key: int, before: Document | None, value: Document) -> None:
        """A document opens, or is due at another time."""
        if before is not None and before.due == value.due:
            return
        if before is not None:
            self.discard(key, before)
        if value.due is not None:
            insort(self._dues, (value.due, key))

    def discard(self, key: int, value: Document) -> None:
        """It closes."""
        if value.due is not None:
            del self._dues[bisect_left(self._dues, (value.due, key))]
