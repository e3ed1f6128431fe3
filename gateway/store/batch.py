"""Everything that follows from one drained intake, as rows; written in one transaction."""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from gateway.counting.counter import Baseline, Checkpoint
from gateway.counting.messages import Watermark
from gateway.domain.document import Backlog, Document, Link, Span
from gateway.domain.event import Event, SignalId, Trigger
from gateway.domain.exception import ExceptionRecord
from gateway.domain.line import LineState
from gateway.domain.lot import LotBalance, LotKey, Staging
from gateway.domain.order import OrderState, Progress
from gateway.domain.posting import Posting, Variance
from gateway.domain.requirement import Requirement, RequirementKey


class EventRow(NamedTuple):
    """An event as it was taken: `content_hash` of messages only, a counter's key says it all.

    `hold` is (code, reason, detail) of an event whose units were held at once, so that a replay holds them too.
    """

    id: int
    event: Event
    verdict: str
    content_hash: str | None = None
    hold: tuple[str, str, str] | None = None


class TriggerRow(NamedTuple):
    """A trigger and where it went: into a main `document`, or waiting in an exception. Never both, never neither."""

    id: int
    event_id: int
    trigger: Trigger
    document: int | None
    exception_id: int | None


class PostingRow(NamedTuple):
    """A posting in its place; `body` is sealed and never rendered again.

    `reach` gives for each line the units (Span) it went into, first to last; empty where none are known.
    """

    seq: int
    position: int
    posting: Posting
    posted_at: datetime
    body: bytes
    document: int
    follows: int | None = None  # document id
    reach: tuple[tuple[int, int] | None, ...] = ()


class StagingRow(NamedTuple):
    """A transfer as applied, in the stock's unit; `content_hash` is of what was sent (codec.staging_hash)."""

    staging: Staging
    applied_at: datetime
    content_hash: str


class JournalRow(NamedTuple):
    """What is chained beside the postings."""

    position: int
    kind: str
    body: bytes


class Tally(NamedTuple):
    """A signal's totals in `uom`: counted = posted + scrapped + held + reversed.

    `reversed` are the units a signed decision took out again: by reversal, or by closing them without posting.
    """

    uom: str
    counted: Decimal
    posted: Decimal
    scrapped: Decimal
    held: Decimal
    reversed: Decimal = Decimal(0)


class SpanHead(NamedTuple):
    """Where the next good units of an order's operation stand; `free` were reversed and are filled first."""

    next: int = 0
    free: tuple[tuple[int, int], ...] = ()


class EntryRow(NamedTuple):
    """An operator's entry (`entry E-1`, `issue I-1`) that was booked at a line: its events may be deleted one day."""

    line: str
    id: str
    content_hash: str


class TransferRow(NamedTuple):
    """A return or a cycle count as applied: `book` is what the balance had left before, all in the stock unit."""

    id: str
    kind: str
    content_hash: str
    key: LotKey
    book: Decimal
    quantity: Decimal
    uom: str
    reason: str
    applied_at: datetime


class VarianceRow(NamedTuple):
    """A component's variance at order close."""

    order: str
    line: str
    variance: Variance
    closed_at: datetime


class ShadowKey(NamedTuple):
    """A component as a shadow BOM version or rule (`source`) calculates it."""

    requirement: RequirementKey
    source: str


class ShadowTotal(NamedTuple):
    """What it required and would have committed."""

    item: str
    requirement: Requirement


class Snapshot(NamedTuple):
    """The content of a master-data snapshot, as JSON."""

    hash: str
    body: bytes
    first_used_at: datetime


class InputRow(NamedTuple):
    """Something the engine was told beside the events, as JSON; pipeline.recording names the kinds."""

    id: int
    after_event: int
    kind: str
    body: bytes


class DeadLetter(NamedTuple):
    """A message that can't be read, as it came; `retained`: it showed state, so no event comes of it.

    `put_aside`: it was read but couldn't be done; the pipeline wrote the payload, and `source` is the signal.
    """

    device: str
    source: str
    payload: bytes
    reason: str
    at: datetime
    retained: bool = False
    put_aside: bool = False


class ConsumerKind(StrEnum):
    """Who reads the posting log."""

    PULLER = "puller"
    SINK = "sink"


class ConsumerKey(NamedTuple):
    """A reader of the posting log. A sink and a puller may bear the same name and are two."""

    kind: ConsumerKind
    name: str


class Mark(NamedTuple):
    """How far a consumer has come, and since when."""

    through: int
    at: datetime


class Rejection(NamedTuple):
    """A posting a sink refused, with the central system's reason; refused again, it has the new reason and time."""

    sink: str
    seq: int
    reason: str
    at: datetime


class Closing(NamedTuple):
    """How a dead letter or a refused posting was closed, and by whom."""

    at: datetime
    reason: str
    person: str


class Head(NamedTuple):
    """Where the store ends: position and hash of the chain's last entry, seq of the last posting."""

    position: int
    hash: bytes
    seq: int


@dataclass(slots=True)
class Batch:
    """What one transaction writes. Dictionaries hold new values (upserted), lists new rows (inserted).

    `released`: (trigger id, document, order) of held triggers that posted; no document: closed without posting.
    `consumers`: watermarks, they never move back. `documents` and `backlogs`: None deletes the row. `activated`: the
    hash of the configuration that was signed, empty where none was. `closed_letters`: by id; `closed_rejections` and
    `asked_again`, which are to be offered once more: by (sink, seq). `settled`: until when the messages of a
    device are in doubt after a restore.
    """

    checkpoints: dict[SignalId, Checkpoint] = field(default_factory=dict)
    watermarks: dict[SignalId, Watermark] = field(default_factory=dict)
    baselines: dict[SignalId, Baseline] = field(default_factory=dict)
    events: list[EventRow] = field(default_factory=list)
    triggers: list[TriggerRow] = field(default_factory=list)
    released: list[tuple[int, int | None, str]] = field(default_factory=list)
    documents: dict[int, Document | None] = field(default_factory=dict)
    links: list[Link] = field(default_factory=list)
    spans: list[Span] = field(default_factory=list)
    reversed_spans: list[Span] = field(default_factory=list)
    span_heads: dict[tuple[str, str], SpanHead] = field(default_factory=dict)
    backlogs: dict[int, Backlog | None] = field(default_factory=dict)
    orders: dict[str, OrderState] = field(default_factory=dict)
    lines: dict[str, LineState] = field(default_factory=dict)
    transfers: list[TransferRow] = field(default_factory=list)
    entries: list[EntryRow] = field(default_factory=list)
    variances: list[VarianceRow] = field(default_factory=list)
    shadows: dict[ShadowKey, ShadowTotal] = field(default_factory=dict)
    snapshots: list[Snapshot] = field(default_factory=list)
    inputs: list[InputRow] = field(default_factory=list)
    postings: list[PostingRow] = field(default_factory=list)
    lots: dict[LotKey, LotBalance] = field(default_factory=dict)
    stagings: list[StagingRow] = field(default_factory=list)
    requirements: dict[RequirementKey, Requirement] = field(default_factory=dict)
    progress: dict[tuple[str, str], Progress] = field(default_factory=dict)
    exceptions: dict[int, ExceptionRecord] = field(default_factory=dict)
    journal: list[JournalRow] = field(default_factory=list)
    tallies: dict[SignalId, Tally] = field(default_factory=dict)
    dead_letters: list[DeadLetter] = field(default_factory=list)
    consumers: dict[ConsumerKey, Mark] = field(default_factory=dict)
    rejections: list[Rejection] = field(default_factory=list)
    settled: dict[str, datetime] = field(default_factory=dict)
    closed_letters: dict[int, Closing] = field(default_factory=dict)
    closed_rejections: dict[tuple[str, int], Closing] = field(default_factory=dict)
    asked_again: list[tuple[str, int]] = field(default_factory=list)
    activated: str = ""
    head: Head | None = None
