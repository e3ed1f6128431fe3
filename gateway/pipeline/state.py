"""What the pipeline keeps in memory: open orders' figures, lots, open documents and exceptions."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from gateway.backflush.allocate import first_expiry
from gateway.counting.counter import Checkpoint
from gateway.counting.messages import Watermark
from gateway.domain.document import Backlog, Document, DocumentKey, Part
from gateway.domain.event import SignalId, Trigger
from gateway.domain.exception import ExceptionKind, ExceptionRecord
from gateway.domain.line import LineState
from gateway.domain.lot import LotBalance, LotKey, Owner
from gateway.domain.order import OrderState, Progress
from gateway.domain.requirement import Requirement, RequirementKey
from gateway.store.batch import Head, ShadowKey, ShadowTotal, SpanHead, Tally
from gateway.store.load import Recovered

# Later ones of the same scope join the open exception.
JOINED = (ExceptionKind.TRIGGER, ExceptionKind.GAP, ExceptionKind.BACKLOG, ExceptionKind.CLEARANCE)
Scope = tuple[ExceptionKind, str, str]
StockIndex = dict[tuple[Owner, str], tuple[LotKey, ...]]
Place = tuple[str, ...]


@dataclass(slots=True)
class NextIds:
    """The next free row ids; assigned in memory, so that a batch needs no round trip."""

    event: int = 1
    trigger: int = 1
    exception: int = 1
    document: int = 1
    backlog: int = 1
    input: int = 1


@dataclass(slots=True)
class State:
    """The committed state. `stored` are the checkpoints as they are on disk: IDLE refreshes only memory.

    `gathered` are the triggers of open documents; `seqs` the postings that an open document or a backlog follows,
    by document; `snapshots` the hashes of master data whose content was written.
    """

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
    documents: dict[int, Document] = field(default_factory=dict)
    span_heads: dict[tuple[str, str], SpanHead] = field(default_factory=dict)
    backlogs: dict[int, Backlog] = field(default_factory=dict)
    order_states: dict[str, OrderState] = field(default_factory=dict)
    line_states: dict[str, LineState] = field(default_factory=dict)
    shadows: dict[ShadowKey, ShadowTotal] = field(default_factory=dict)

    waiting: dict[Scope, int] = field(default_factory=dict)  # open exception by what it is about
    windows: dict[Place, int] = field(default_factory=dict)  # open document by what may still join it
    gathered: dict[int, list[Trigger]] = field(default_factory=dict)
    seqs: dict[int, int] = field(default_factory=dict)
    snapshots: set[str] = field(default_factory=set)
    activated: str = ""  # hash of the configuration that was signed last

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
        if self.seqs:
            followed = followed_documents(self.documents.values(), self.backlogs.values())
            self.seqs = {document: seq for document, seq in self.seqs.items() if document in followed}


def scope_of(record: ExceptionRecord) -> Scope:
    """Return what an exception is about: triggers of (order, operation), a gap of (device, signal)."""
    return (record.kind, *record.scope)


def place_of(document: Document) -> Place:
    """Return what may join the document: its rule at its machine, or what follows the same document."""
    key = document.key
    return window_place(key) if key.part is Part.MAIN else follow_up_place(key.part, document.follows)


def window_place(key: DocumentKey) -> Place:
    """Return where a window stands open: one for each rule at a machine's operation."""
    return key.device, key.operation, key.rule


def follow_up_place(part: Part, follows: int | None) -> Place:
    """Return where the deferred or backlogged issues of a document stand open."""
    return part.value, str(follows)


def followed_documents(documents: Iterable[Document], backlogs: Iterable[Backlog]) -> set[int]:
    """Return the documents that something open refers to."""
    return {one.follows for one in documents if one.follows is not None} | {one.document for one in backlogs}


def recovered(loaded: Recovered) -> State:
    """Return the state as the store has it."""
    return State(
        head=loaded.head,
        ids=NextIds(
            loaded.next_event,
            loaded.next_trigger,
            loaded.next_exception,
            loaded.next_document,
            loaded.next_backlog,
            loaded.next_input,
        ),
        checkpoints=dict(loaded.checkpoints),
        stored=dict(loaded.checkpoints),
        watermarks=dict(loaded.watermarks),
        lots=dict(loaded.lots),
        stock=stock_index(loaded.lots.values()),
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
        windows={place_of(one): one.id for one in loaded.documents.values()},
        activated=loaded.activated,
    )


def stock_index(lots: Iterable[LotBalance]) -> StockIndex:
    """Return the keys of the lots (all have something left) by owner and item, first expiry first."""
    index: defaultdict[tuple[Owner, str], list[LotBalance]] = defaultdict(list)
    for lot in lots:
        index[lot.key.owner, lot.key.item].append(lot)
    return {key: tuple(one.key for one in sorted(found, key=first_expiry)) for key, found in index.items()}
