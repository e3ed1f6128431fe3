"""Everything that follows from one drained intake, as rows; written in one transaction."""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from gateway.counting.counter import Checkpoint
from gateway.counting.messages import Watermark
from gateway.domain.event import Event, SignalId, Trigger
from gateway.domain.exception import ExceptionRecord
from gateway.domain.lot import LotBalance, LotKey, Staging
from gateway.domain.order import Progress
from gateway.domain.posting import Posting
from gateway.domain.requirement import Requirement, RequirementKey


class EventRow(NamedTuple):
    """An event as it was taken: `content_hash` of messages only, a counter's key says it all."""

    id: int
    event: Event
    verdict: str
    content_hash: str | None = None


class TriggerRow(NamedTuple):
    """A trigger and where it went: into posting `seq`, or waiting in an exception. Never both, never neither."""

    id: int
    event_id: int
    trigger: Trigger
    seq: int | None
    exception_id: int | None


class PostingRow(NamedTuple):
    """A posting in its place; `body` is sealed and never rendered again."""

    seq: int
    position: int
    posting: Posting
    posted_at: datetime
    body: bytes


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
    """A signal's totals in `uom`: counted = posted + scrapped + held."""

    uom: str
    counted: Decimal
    posted: Decimal
    scrapped: Decimal
    held: Decimal


class DeadLetter(NamedTuple):
    """A message that can't be read, as it came."""

    device: str
    source: str
    payload: bytes
    reason: str
    at: datetime


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
    """A posting a sink will never take, with the central system's reason."""

    sink: str
    seq: int
    reason: str
    at: datetime


class Head(NamedTuple):
    """Where the store ends: position and hash of the chain's last entry, seq of the last posting."""

    position: int
    hash: bytes
    seq: int


@dataclass(slots=True)
class Batch:
    """What one transaction writes. Dictionaries hold new values (upserted), lists new rows (inserted).

    `released`: (trigger id, seq) of held triggers that posted. `consumers`: watermarks, they never move back.
    """

    checkpoints: dict[SignalId, Checkpoint] = field(default_factory=dict)
    watermarks: dict[SignalId, Watermark] = field(default_factory=dict)
    events: list[EventRow] = field(default_factory=list)
    triggers: list[TriggerRow] = field(default_factory=list)
    released: list[tuple[int, int]] = field(default_factory=list)
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
    head: Head | None = None
