"""Which registers go into one Modbus request."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

LONGEST: Final = 125  # registers in one reply, Modbus Application Protocol 6.3
BITS: Final = ("coil", "discrete")  # the tables whose points are single bits
GAP: Final = 8  # unused registers that cost less to read along than another request would


@dataclass(frozen=True, slots=True)
class Point:
    """Where a signal lies: `count` registers (or bits) from the zero-based `address` of a table."""

    signal: str
    table: str
    address: int
    count: int

    @property
    def end(self) -> int:
        """The first address behind it."""
        return self.address + self.count


@dataclass(frozen=True, slots=True)
class Block:
    """One request and the points it answers."""

    points: tuple[Point, ...]

    @property
    def table(self) -> str:
        """Where all its points lie."""
        return self.points[0].table

    @property
    def address(self) -> int:
        """The first address to ask for."""
        return self.points[0].address

    @property
    def count(self) -> int:
        """How many to ask for."""
        return max(point.end for point in self.points) - self.address


def plan(points: Iterable[Point], contexts: Collection[str], gap: int = GAP) -> tuple[Block, ...]:
    """Return as few blocks as cover the points, bridging up to `gap` unused registers.

    Blocks with a context come first: when a boot id and its counter don't fit into one request, a reset
    between the two then shows a low count under the old boot id, which is doubted, and never the reverse.
    """
    ordered = sorted(points, key=lambda point: (point.table, point.address))
    blocks = [block for _, group in groupby(ordered, key=lambda point: point.table) for block in _pack(group, gap)]
    return _contexts_first(blocks, contexts)


def apart(
    blocks: Sequence[Block], refused: Block, invalid: Collection[str], contexts: Collection[str]
) -> tuple[Block, ...]:
    """Return the blocks with others in place of the `refused` one, whose `invalid` points were refused alone too.

    The valid ones stay together where they touch; the invalid ones are asked for alone, and so come back
    by themselves when the device is corrected.
    """
    instead = [*plan((point for point in refused.points if point.signal not in invalid), contexts, gap=0)]
    if instead == [refused]:  # refused for its length alone
        instead = [Block((point,)) for point in refused.points]
    else:
        instead += [Block((point,)) for point in refused.points if point.signal in invalid]
    return _contexts_first([*(block for block in blocks if block != refused), *instead], contexts)


def _contexts_first(blocks: Iterable[Block], contexts: Collection[str]) -> tuple[Block, ...]:
    return tuple(sorted(blocks, key=lambda block: not any(point.signal in contexts for point in block.points)))


def _pack(points: Iterable[Point], gap: int) -> Sequence[Block]:
    blocks: list[Block] = []
    for point in points:
        if blocks and _fits(blocks[-1], point, gap):
            blocks[-1] = Block((*blocks[-1].points, point))
        else:
            blocks.append(Block((point,)))
    return blocks


def _fits(block: Block, point: Point, gap: int) -> bool:
    return point.address - (block.address + block.count) <= gap and point.end - block.address <= LONGEST
