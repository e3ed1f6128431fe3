"""What the pipeline keeps in memory: open orders' figures, lots, open documents and exceptions."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal

from gateway.backflush.allocate import first_expiry
from gateway.counting.counter import Baseline, Checkpoint
from gateway.counting.messages import Watermark
from gateway.domain.document import Backlog, Document, DocumentKey, Part
from gateway.domain.event import SignalId, Trigger
from gateway.domain.exception import ExceptionKind, ExceptionRecord
from gateway.domain.line import LineState
from gateway.domain.lot import LotBalance, LotKey, Owner
from gateway.domain.order import OrderState, Progress
from gateway.domain.quantity import EXACT, ZERO
from gateway.domain.requirement import Requirement, RequirementKey
from gateway.pipeline.index import Index, Timetable
from gateway.store.batch import Head, ShadowKey, ShadowTotal, SpanHead, Tally
from gateway.store.lineage import Restored
from gateway.store.load import NextIds, Recovered

# Later ones of the same scope join the open exception.
JOINED = (
    ExceptionKind.TRIGGER,
    ExceptionKind.GAP,
    ExceptionKind.BACKLOG,
    ExceptionKind.ALERT,
    ExceptionKind.CLEARANCE,
    ExceptionKind.ALARM,
)
Scope = tuple[str, ...]
Shelf = tuple[Owner, str]  # whose stock of which item
StockIndex = dict[Shelf, list[LotKey]]  # a list is replaced, never changed: a batch may be dropped
WindowPlace = tuple[str, str, str]
FollowUpPlace = tuple[Part, int | None]


@dataclass(slots=True)
class State:
    """The committed state. `stored` are the checkpoints as they are on disk: IDLE refreshes only memory.

    `gathered` are the triggers of open documents; `seqs` the postings that an open document or a backlog follows,
    by document; `snapshot` is the hash of the master data whose content was written last. What stands below is made
    of the rest.
    """

    head: Head
    ids: NextIds
    checkpoints: dict[SignalId, Checkpoint] = field(default_factory=dict)
    stored: dict[SignalId, Checkpoint] = field(default_factory=dict)
    watermarks: dict[SignalId, Watermark] = field(default_factory=dict)
    baselines: dict[SignalId, Baseline] = field(default_factory=dict)
    lots: dict[LotKey, LotBalance] = field(default_factory=dict)
    requirements: dict[RequirementKey, Requirement] = field(default_factory=dict)
    progress: dict[tuple[str, str], Progress] = field(default_factory=dict)
    exceptions: dict[int, ExceptionRecord] = field(default_factory=dict)
    tallies: dict[SignalId, Tally] = field(default_factory=dict)
    documents: dict[int, Document] = field(default_factory=dict)
    span_heads: dict[tuple[str, str], SpanHead] = field(default_factory=dict)
    backlogs: dict[int, Backlog] = field(default_factory=dict)
    order_states: dict[str, OrderState] = field(default_factory=dict)
    line_states: dict[str, LineState] = field(default_factory=dict)
    shadows: dict[ShadowKey, ShadowTotal] = field(default_factory=dict)

    waiting: dict[Scope, int] = field(default_factory=dict)  # open exception by what it is about
    gathered: dict[int, list[Trigger]] = field(default_factory=dict)
    seqs: dict[int, int] = field(default_factory=dict)
    snapshot: str = ""
    activated: str = ""  # hash of the configuration that was signed last
    restored: Restored | None = None
    settled: dict[str, datetime] = field(default_factory=dict)  # by device: until when its messages are in doubt

    stock: StockIndex = field(init=False)  # what has something left, first expiry first
    staged: dict[Shelf, Decimal] = field(init=False)  # how much that is
    by_lot: Index[LotKey, LotBalance] = field(init=False)  # by item and lot
    windows: dict[WindowPlace, int] = field(init=False)  # open document by what may still join it
    follow_ups: dict[FollowUpPlace, int] = field(init=False)
    timetable: Timetable = field(init=False)
    followers: Index[int, Document] = field(init=False)  # by the document that they follow
    short: Index[int, Backlog] = field(init=False)  # by the document that was short
    owed: Index[int, Backlog] = field(init=False)  # by order and operation

    def __post_init__(self) -> None:
        documents, backlogs = self.documents, self.backlogs
        self.stock = stock_index(self.lots.values())
        self.staged = staged(self.lots.values())
        self.by_lot = Index(lambda one: (one.key.item, one.key.lot), self.lots)
        # What was open when a backup was made may have been posted since: nothing joins it.
        joinable = {number: one for number, one in documents.items() if not self.in_doubt(number)}
        self.windows = {window_place(one.key): number for number, one in joinable.items() if one.key.part is Part.MAIN}
        self.follow_ups = {
            (one.key.part, one.follows): number for number, one in joinable.items() if one.key.part is not Part.MAIN
        }
        self.timetable = Timetable(documents)
        self.followers = Index(lambda one: one.follows, documents)
        self.short = Index(lambda one: one.document, backlogs)
        self.owed = Index(lambda one: (one.key.order, one.key.operation), backlogs)

    def in_doubt(self, document: int) -> bool:
        """Tell whether the document was open in a backup that was restored."""
        return self.restored is not None and document < self.restored.document

    def unsaved(self) -> dict[SignalId, Checkpoint]:
        """Return the checkpoints that IDLE readings refreshed in memory only; they travel with the next batch."""
        return {
            signal: checkpoint
            for signal, checkpoint in self.checkpoints.items()
            if self.stored.get(signal) is not checkpoint
        }

    def forget(
        self, *, lots: Iterable[LotKey], exceptions: Iterable[int], followed: Iterable[int], orders: Iterable[str]
    ) -> None:
        """Drop what is used up or closed from memory; the store has it.

        `followed` are documents that something followed, `orders` those that were closed: nothing posts to them.
        """
        for key in lots:
            if lot := self.lots.pop(key, None):
                self.by_lot.discard(key, lot)
            if not self.stock.get((key.owner, key.item), True):
                del self.stock[key.owner, key.item]
                self.staged.pop((key.owner, key.item), None)
        for number in exceptions:
            record = self.exceptions.pop(number, None)
            if record and self.waiting.get(scope_of(record)) == number:
                del self.waiting[scope_of(record)]
        for document in followed:
            if document not in self.followers and document not in self.short:
                self.seqs.pop(document, None)
        for order in orders:
            self._forget_order(order)

    def _forget_order(self, order: str) -> None:
        for key in [one for one in self.requirements if one.order == order]:
            del self.requirements[key]
        for shadow in [one for one in self.shadows if one.requirement.order == order]:
            del self.shadows[shadow]
        for figures in (self.progress, self.span_heads):
            for place in [one for one in figures if one[0] == order]:
                del figures[place]


def scope_of(record: ExceptionRecord) -> Scope:
    """Return what an exception is about: triggers of (order, operation), a gap of (device, signal)."""
    return joined_by(record.kind, record.scope, record.code, record.owner)


def joined_by(kind: ExceptionKind, about: tuple[str, str], code: str, owner: str) -> Scope:
    """Return what joins one exception; alerts of one place are several, each with its owner who answers it."""
    return (kind, *about, code, owner) if kind is ExceptionKind.ALERT else (kind, *about)


def window_place(key: DocumentKey) -> WindowPlace:
    """Return where a window stands open: one for each rule at a machine's operation."""
    return key.device, key.operation, key.rule


def followed_documents(documents: Iterable[Document], backlogs: Iterable[Backlog]) -> set[int]:
    """Return the documents that something open refers to."""
    return {one.follows for one in documents if one.follows is not None} | {one.document for one in backlogs}


def recovered(loaded: Recovered) -> State:
    """Return the state as the store has it."""
    return State(
        head=loaded.head,
        ids=replace(loaded.ids),
        checkpoints=dict(loaded.checkpoints),
        stored=dict(loaded.checkpoints),
        watermarks=dict(loaded.watermarks),
        baselines=dict(loaded.baselines),
        lots=dict(loaded.lots),
        requirements=dict(loaded.requirements),
        progress=dict(loaded.progress),
        exceptions={one.id: one for one in loaded.exceptions},
        tallies=dict(loaded.tallies),
        documents=dict(loaded.documents),
        span_heads=dict(loaded.span_heads),
        backlogs=dict(loaded.backlogs),
        order_states=dict(loaded.order_states),
        line_states=dict(loaded.line_states),
        shadows=dict(loaded.shadows),
        waiting={scope_of(one): one.id for one in loaded.exceptions if one.kind in JOINED},
        activated=loaded.activated,
        restored=loaded.restored,
        settled=dict(loaded.settled),
    )


def stock_index(lots: Iterable[LotBalance]) -> StockIndex:
    """Return the keys of the lots (all have something left) by owner and item, first expiry first."""
    index: defaultdict[Shelf, list[LotBalance]] = defaultdict(list)
    for lot in lots:
        index[lot.key.owner, lot.key.item].append(lot)
    return {key: [one.key for one in sorted(found, key=first_expiry)] for key, found in index.items()}


def staged(lots: Iterable[LotBalance]) -> dict[Shelf, Decimal]:
    """Return how much is left of the lots, by owner and item."""
    found: dict[Shelf, Decimal] = {}
    for lot in lots:
        shelf = lot.key.owner, lot.key.item
        found[shelf] = EXACT.add(found.get(shelf, ZERO), lot.left)
    return found
