"""What the pipeline keeps in memory: open orders' figures, lots with something left, open exceptions."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from gateway.backflush.allocate import first_expiry
from gateway.counting.counter import Checkpoint
from gateway.counting.messages import Watermark
from gateway.domain.event import SignalId
from gateway.domain.exception import ExceptionKind, ExceptionRecord
from gateway.domain.lot import LotBalance, LotKey, Owner
from gateway.domain.order import Progress
from gateway.domain.requirement import Requirement, RequirementKey
from gateway.store.batch import Head, Tally
from gateway.store.load import Recovered

JOINED = (ExceptionKind.TRIGGER, ExceptionKind.GAP)  # later ones of the same scope join the open exception
Scope = tuple[ExceptionKind, str, str]
StockIndex = dict[tuple[Owner, str], tuple[LotKey, ...]]


@dataclass(slots=True)
class NextIds:
    """The next free row ids; assigned in memory, so that a batch needs no round trip."""

    event: int = 1
    trigger: int = 1
    exception: int = 1


@dataclass(slots=True)
class State:
    """The committed state. `stored` are the checkpoints as they are on disk: IDLE refreshes only memory."""

    head: Head
    ids: NextIds
    checkpoints: dict[SignalId, Checkpoint] = field(default_factory=dict)
    stored: dict[SignalId, Checkpoint] = field(default_factory=dict)
    watermarks: dict[SignalId, Watermark] = field(default_factory=dict)
    lots: dict[LotKey, LotBalance] = field(default_factory=dict)
    stock: StockIndex = field(default_factory=dict)
    requirements: dict[RequirementKey, Requirement] = field(default_factory=dict)
    progress: dict[tuple[str, str], Progress] = field(default_factory=dict)
    exceptions: dict[int, ExceptionRecord] = field(default_factory=dict)
    tallies: dict[SignalId, Tally] = field(default_factory=dict)

    waiting: dict[Scope, int] = field(default_factory=dict)  # open exception by what it is about

    def unsaved(self) -> dict[SignalId, Checkpoint]:
        """Return the checkpoints that IDLE readings refreshed in memory only; they travel with the next batch."""
        return {
            signal: checkpoint
            for signal, checkpoint in self.checkpoints.items()
            if self.stored.get(signal) is not checkpoint
        }

    def forget(self, *, lots: Iterable[LotKey], exceptions: Iterable[int]) -> None:
        """Drop what is used up or closed from memory; the store has it."""
        for key in lots:
            self.lots.pop(key, None)
            if not self.stock.get((key.owner, key.item), True):
                del self.stock[key.owner, key.item]
        for number in exceptions:
            record = self.exceptions.pop(number, None)
            if record and self.waiting.get(scope_of(record)) == number:
                del self.waiting[scope_of(record)]


def scope_of(record: ExceptionRecord) -> Scope:
    """Return what an exception is about: triggers of (order, operation), a gap of (device, signal)."""
    return (record.kind, *record.scope)


def recovered(loaded: Recovered) -> State:
    """Return the state as the store has it."""
    return State(
        head=loaded.head,
        ids=NextIds(loaded.next_event, loaded.next_trigger, loaded.next_exception),
        checkpoints=dict(loaded.checkpoints),
        stored=dict(loaded.checkpoints),
        watermarks=dict(loaded.watermarks),
        lots=dict(loaded.lots),
        stock=stock_index(loaded.lots.values()),
        requirements=dict(loaded.requirements),
        progress=dict(loaded.progress),
        exceptions={one.id: one for one in loaded.exceptions},
        tallies=dict(loaded.tallies),
        waiting={scope_of(one): one.id for one in loaded.exceptions if one.kind in JOINED},
    )


def stock_index(lots: Iterable[LotBalance]) -> StockIndex:
    """Return the keys of the lots (all have something left) by owner and item, first expiry first."""
    index: defaultdict[tuple[Owner, str], list[LotBalance]] = defaultdict(list)
    for lot in lots:
        index[lot.key.owner, lot.key.item].append(lot)
    return {key: tuple(one.key for one in sorted(found, key=first_expiry)) for key, found in index.items()}
