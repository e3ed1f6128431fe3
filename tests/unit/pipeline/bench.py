"""A working copy without a store: events go in, documents can be looked at."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import count

from gateway.domain.clock import ClockTrust
from gateway.domain.document import Span
from gateway.domain.event import Event, EventKind, SignalId
from gateway.domain.line import Cumulation, Line
from gateway.domain.masterdata import MasterData
from gateway.domain.posting import Posting
from gateway.domain.rule import TriggerRule
from gateway.formats.canonical import Place
from gateway.pipeline import documents, posting
from gateway.pipeline.model import LineModel, Point
from gateway.pipeline.state import State
from gateway.pipeline.working_copy import WorkingCopy
from gateway.store.batch import Head, TriggerRow
from gateway.store.load import NextIds
from tests.factories import NOON, make_lot, make_master, make_order

FILLER, REJECTS = SignalId("FILLER-1", "good"), SignalId("FILLER-1", "reject")
PACKER = SignalId("PACKER-1", "case")
KINDS = {
    FILLER: (EventKind.GOOD_UNITS, "0010"),
    REJECTS: (EventKind.SCRAP_UNITS, "0010"),
    PACKER: (EventKind.CASE_SEALED, "0030"),
}


def second(number: float) -> datetime:
    return NOON + timedelta(seconds=number)


class Bench:
    """Books on one batch after the other; `cumulate` is the filler's and the reject counter's."""

    def __init__(self, cumulate: Cumulation | None = None, master: MasterData | None = None, line: Line | None = None):
        master = master or make_master()
        orders = {**master.orders, "100046": make_order(order="100046", finished_lot="C261121-2")}
        self.cumulate = cumulate
        self.master = replace(master, orders=orders, lines={"L1": line or Line("L1")})
        self.state = State(Head(0, b"", 0), NextIds())
        self.trust = "assume"
        self.keys = count(1)
        self.triggers: list[TriggerRow] = []
        self.spans: list[Span] = []
        self.begin()
        self.work.put_lot(make_lot(staged="10000"))
        self.work.put_lot(make_lot("C-1", "1000", item="CARTON-12", location="L1-PACK"))

    def begin(self, at: datetime = NOON) -> None:
        """Begin a batch at that moment of the gateway's clock."""
        place = Place("PLANT1", "S1", at, ClockTrust(self.trust, 0))
        self.work = WorkingCopy(self.state, self.model(), place)

    def commit(self, at: datetime = NOON) -> None:
        """End the batch and begin the next one at that moment."""
        self.triggers += self.work.rows.triggers
        self.spans += self.work.rows.spans
        self.work.batch()
        self.work.finish(committed=True)
        self.begin(at)

    def model(self) -> LineModel:
        rules = {
            signal: TriggerRule(signal.signal, 1, signal, kind, operation, fallback_active=True)
            for signal, (kind, operation) in KINDS.items()
        }
        for signal in (FILLER, REJECTS):
            rules[signal] = replace(rules[signal], cumulate=self.cumulate)
        self.points = {signal: Point(signal, "L1", rule=rule) for signal, rule in rules.items()}
        return LineModel(self.points, self.master, {"L1": "100045"})

    def count(self, quantity: str = "1", at: float = 0, *, signal: SignalId = FILLER, **event) -> None:
        """Book units that a machine reported, so many seconds after noon."""
        made = Event(
            signal=signal,
            key=f"k{next(self.keys)}",
            kind=KINDS[signal][0],
            quantity=Decimal(quantity),
            uom="",
            source_time=second(at),
            received_time=second(at),
        )
        posting.book(self.work, self.work.model.points[signal], made._replace(**event), "COUNTED")

    def clock(self, at: float) -> None:
        """Let the clock close what is due then."""
        self.commit(second(at))
        documents.close_due(self.work)

    @property
    def posted(self) -> list[Posting]:
        return [row.posting for row in self.work.rows.postings]

    @property
    def open(self) -> list[int]:
        return [number for number, _ in self.work.documents.items()]


def why(closed: Posting) -> str:
    assert closed.window is not None
    return closed.window[2]
