"""The central ERP, twice: one that is pushed to and books by identity, one that pulls pages and acknowledges them."""

import asyncio
from collections.abc import Sequence
from enum import IntEnum

from gateway.errors import Postponed, SinkRejected, TooLarge, TransientError
from gateway.ports import Delivery, Document
from gateway.store.log import PostingLog
from tests.simulation.store import STORE_ID
from tests.simulation.truth import Violation

Answer = TransientError | SinkRejected | Delivery


class Books:
    """What a central system has: bodies by seq, none of which may be missing below another, none of which changes."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.bodies: dict[int, bytes] = {}

    def take(self, documents: Sequence[Document]) -> None:
        for document in documents:
            if document.seq > len(self.bodies) + 1:
                raise Violation(f"{self.name} got posting {document.seq} and never {len(self.bodies) + 1}")
            if self.bodies.setdefault(document.seq, document.body) != document.body:
                raise Violation(f"{self.name} got posting {document.seq} twice, with another content")


class Reply(IntEnum):
    """How the ERP answers a request."""

    BOOKED = 0
    LOST = 1  # booked, but the answer never arrives
    UNREACHABLE = 2
    HALF = 3
    REJECTED = 4  # one of them, for good
    LATER = 5
    TOO_LARGE = 6
    REFUSED = 7  # the request as a whole


class PushedErp:
    """A Sink: each request waits until the schedule answers it."""

    def __init__(self) -> None:
        self.books = Books("the pushed ERP")
        self.rejected: dict[int, str] = {}
        self._asked: tuple[Sequence[Document], asyncio.Future[Answer]] | None = None

    async def deliver(self, gateway: str, store: str, documents: Sequence[Document]) -> Delivery:
        if store != STORE_ID or not documents:
            raise Violation(f"a request for {gateway} {store} with {len(documents)} postings")
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._asked = (documents, future)
        answer = await future
        if isinstance(answer, Delivery):
            return answer
        raise answer

    async def close(self) -> None:
        """Nothing is open."""

    @property
    def asked(self) -> bool:
        return self._asked is not None

    def hang_up(self) -> None:
        """Forget a request whose sender is dead."""
        self._asked = None

    def answer(self, reply: Reply) -> None:
        """Answer the request that waits, if there is one."""
        if self._asked is not None:
            (documents, future), self._asked = self._asked, None
            future.set_result(self._judge(reply, documents))

    def _judge(self, reply: Reply, documents: Sequence[Document]) -> Answer:
        match reply:
            case Reply.UNREACHABLE:
                return TransientError("no route")
            case Reply.LATER:
                return Postponed("503", 5.0)
            case Reply.TOO_LARGE:
                return TooLarge("413")
            case Reply.REFUSED:
                return SinkRejected("401")
            case Reply.HALF:
                documents = documents[: (len(documents) + 1) // 2]
            case Reply.REJECTED if documents[0].seq not in self.books.bodies:
                self.rejected[documents[0].seq] = "unknown item"
        self.books.take(documents)
        if reply is Reply.LOST:
            return TransientError("no answer")
        seqs = frozenset(one.seq for one in documents)
        return Delivery(seqs - self.rejected.keys(), {one: why for one, why in self.rejected.items() if one in seqs})


class PulledErp:
    """A consumer with a cursor of its own; what it asked once it asks again, to see the same."""

    NAME = "erp"

    def __init__(self) -> None:
        self.books = Books("the pulling ERP")
        self._pages: list[tuple[int, int, int, tuple[Document, ...]]] = []

    @property
    def cursor(self) -> int:
        return len(self.books.bodies)

    async def pull(self, log: PostingLog, limit: int) -> int:
        """Read the next page, up to the end as it is now; return how many postings came."""
        through = await log.last()
        page = await log.page(self.cursor, through, limit)
        self._pages = [*self._pages[-50:], (self.cursor, through, limit, page.documents)]
        if page.documents and page.documents[0].seq != self.cursor + 1:
            raise Violation(f"the page behind {self.cursor} begins at {page.documents[0].seq}")
        self.books.take(page.documents)
        return len(page.documents)

    async def ask_again(self, log: PostingLog, which: int) -> None:
        """Ask for an earlier page: it is the same for ever, or gone whole by retention."""
        if not self._pages:
            return
        after, through, limit, before = self._pages[which % len(self._pages)]
        if after + 1 >= await log.first_available():
            again = (await log.page(after, through, limit)).documents
            if again != before:
                raise Violation(f"the page behind {after} through {through} was another one before")
