"""One sink's task, over a log in memory and a sink that plays its answers."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast

import pytest

from gateway.domain.health import Health, Link
from gateway.errors import CommandRefused, GatewayError, Postponed, SinkRejected, StoreError, TooLarge, TransientError
from gateway.ports import Delivery, Document
from gateway.settings.sink import SinkSettings
from gateway.store.batch import ConsumerKind
from gateway.store.lineage import Former, Lineage
from gateway.sync.dispatcher import Dispatcher

Answer = GatewayError | Callable[[Sequence[Document]], Delivery]


def all_booked(documents: Sequence[Document]) -> Delivery:
    return Delivery(frozenset(document.seq for document in documents), {})


def only(*seqs: int) -> Callable[[Sequence[Document]], Delivery]:
    return lambda _: Delivery(frozenset(seqs), {})


def all_but(seq: int, reason: str) -> Callable[[Sequence[Document]], Delivery]:
    return lambda documents: Delivery(frozenset(one.seq for one in documents) - {seq}, {seq: reason})


@dataclass
class Sink:
    """Gives `answers`, then books everything."""

    answers: list[Answer] = field(default_factory=list)
    sent: list[tuple[int, int]] = field(default_factory=list)
    stores: list[str] = field(default_factory=list)
    twice: asyncio.Event = field(default_factory=asyncio.Event)

    async def deliver(self, gateway: str, store: str, documents: Sequence[Document]) -> Delivery:
        assert gateway == "G"
        self.stores.append(store)
        self.sent.append((documents[0].seq, documents[-1].seq))
        if len(self.sent) > 1:
            self.twice.set()
        answer = self.answers.pop(0) if self.answers else all_booked
        if isinstance(answer, GatewayError):
            raise answer
        return answer(documents)


@dataclass
class World:
    """A log of `last` postings and the writer that keeps the sink's watermark; `drained` when the sink waits."""

    sink: Sink
    last: int = 0
    through: int = 0
    dead: dict[int, str] = field(default_factory=dict)
    refuses: list[GatewayError] = field(default_factory=list)  # instead of moving the watermark
    gateway: str = "G"
    lineage: Lineage = field(default_factory=lambda: Lineage("G", "S"))
    drained: asyncio.Event = field(default_factory=asyncio.Event)
    news: asyncio.Event = field(default_factory=asyncio.Event)
    asked: int = 0
    again: list[int] = field(default_factory=list)  # refused postings that are to be offered once more
    outcomes: list[tuple[int, str]] = field(default_factory=list)
    tried: asyncio.Event = field(default_factory=asyncio.Event)  # there is nothing more to be offered

    async def consumers(self) -> list[Any]:
        return [
            SimpleNamespace(name="erp", kind=ConsumerKind.PULLER, through=99),
            SimpleNamespace(name="erp", kind=ConsumerKind.SINK, through=self.through),
        ]

    async def wait_beyond(self, seq: int, _: float) -> bool:
        if self.last <= seq:
            self.drained.set()
            await self.news.wait()
        return True

    async def page(self, after: int, bound: int | None, limit: int) -> Any:
        last = min(self.last, after + limit, bound or self.last)
        return SimpleNamespace(documents=tuple(Document(seq, b"{}") for seq in range(after + 1, last + 1)))

    async def deliver(self, sink: str, through: int, rejected: Mapping[int, str]) -> None:
        assert sink == "erp"
        if self.refuses:
            raise self.refuses.pop(0)
        self.through = through
        self.dead.update(rejected)

    async def asked_again(self, _: str, after: int) -> Document | None:
        return next((Document(seq, b"{}") for seq in sorted(self.again) if seq > after), None)

    async def wait_asked(self, before: int) -> None:
        if not self.again:
            self.tried.set()
        while self.asked == before:
            await self.news.wait()

    async def tried_again(self, sink: str, seq: int, refused: str) -> None:
        assert sink == "erp"
        self.again.remove(seq)
        self.outcomes.append((seq, refused))

    def ask(self, *seqs: int) -> None:
        self.again += seqs
        self.asked += 1
        self.tried.clear()
        self.news.set()
        self.news = asyncio.Event()

    def add(self, count: int) -> None:
        self.last += count
        self.drained.clear()
        self.news.set()
        self.news = asyncio.Event()


def make_world(*answers: Answer, **state: Any) -> World:
    return World(Sink(list(answers)), **state)


def make_dispatcher(world: World, **changes: Any) -> Dispatcher:
    settings = SinkSettings.model_validate(
        {"sink": "erp", "kind": "test", "batch": 10, "retry_after": 0.001, "retry_at_most": 0.002} | changes
    )
    return Dispatcher(settings, world.sink, cast("Any", world), cast("Any", world))


async def run(dispatcher: Dispatcher, until: asyncio.Event) -> Dispatcher:
    task = asyncio.create_task(dispatcher.run())
    try:
        async with asyncio.timeout(60):
            await until.wait()
    finally:
        task.cancel()
    return dispatcher


async def drain(world: World, **changes: Any) -> Dispatcher:
    return await run(make_dispatcher(world, **changes), world.drained)


async def test_everything_is_handed_over_in_order_and_in_batches() -> None:
    world = make_world(last=25)

    await drain(world)

    assert world.sink.sent == [(1, 10), (11, 20), (21, 25)]


async def test_it_goes_on_where_the_watermark_stands() -> None:
    world = make_world(last=25, through=20)

    await drain(world)

    assert world.sink.sent == [(21, 25)]


async def test_an_idle_sink_wakes_when_a_posting_comes() -> None:
    world = make_world()
    task = asyncio.create_task(make_dispatcher(world).run())
    await world.drained.wait()

    world.add(2)
    await world.drained.wait()
    task.cancel()

    assert world.sink.sent == [(1, 2)]


async def test_what_was_not_booked_is_sent_again_from_the_first_open_one() -> None:
    world = make_world(only(1, 2, 4, 5), last=5)

    await drain(world)

    assert world.sink.sent == [(1, 5), (3, 5)]


async def test_a_refusal_for_good_is_kept_and_passed() -> None:
    world = make_world(all_but(2, "unknown item"), last=3)

    dispatcher = await drain(world)

    assert world.dead == {2: "unknown item"}
    assert Health(Link.DEGRADED, "refused 1 postings, last seq 2: unknown item") == dispatcher.health


@pytest.mark.parametrize(
    "error",
    [TransientError("no route"), SinkRejected("401"), Postponed("503", 0.001), StoreError("disk full")],
    ids=lambda error: type(error).__name__,
)
async def test_a_request_that_failed_is_made_again(error: GatewayError) -> None:
    world = make_world(error, error, last=3)

    await drain(world)

    assert world.sink.sent == [(1, 3)] * 3


@pytest.mark.parametrize("error", [StoreError("disk full"), CommandRefused("no such sink")])
async def test_a_watermark_that_was_not_committed_is_not_believed(error: GatewayError) -> None:
    world = make_world(last=3, refuses=[error])

    await drain(world)

    assert world.sink.sent == [(1, 3), (1, 3)]


async def test_a_request_too_large_is_halved_until_it_passes_and_stays_so() -> None:
    too_large = TooLarge("413")
    world = make_world(too_large, too_large, last=7)

    await drain(world)

    assert world.sink.sent == [(1, 7), (1, 5), (1, 2), (3, 4), (5, 6), (7, 7)]


async def test_one_posting_too_large_is_tried_again_slowly_and_never_dropped() -> None:
    world = make_world(TooLarge("413"), TooLarge("413"), last=1)

    await drain(world, batch=1)

    assert world.sink.sent == [(1, 1)] * 3


@pytest.mark.parametrize(
    ("error", "link"),
    [
        (TransientError("no route"), Link.DISCONNECTED),
        (Postponed("503", 0.001), Link.DEGRADED),
        (SinkRejected("401"), Link.DEGRADED),
    ],
)
async def test_health_says_why_nothing_moves(error: GatewayError, link: Link) -> None:
    world = make_world(error, error, last=1)

    dispatcher = await run(make_dispatcher(world), world.sink.twice)

    assert Health(link, str(error)) == dispatcher.health


async def test_a_sink_that_takes_nothing_is_given_a_pause() -> None:
    world = make_world(only(), last=2)

    await drain(world)

    assert world.sink.sent == [(1, 2), (1, 2)]


@pytest.mark.parametrize(
    ("error", "least", "most"),
    [
        pytest.param(SinkRejected("401"), 60, 60, id="refused whole: the longest pause"),
        pytest.param(Postponed("503", 30), 30, 30, id="the pause it asked for"),
        pytest.param(Postponed("503", 0), 0, 1, id="no less than the back-off"),
        pytest.param(Postponed("503", 1e9), 3600, 3600, id="an absurd wish is cut"),
        pytest.param(TransientError("no route"), 0, 1, id="back-off"),
        pytest.param(TooLarge("413"), 0, 0, id="smaller at once"),
    ],
)
async def test_the_pause_fits_what_failed(error: GatewayError, least: float, most: float) -> None:
    pause = make_dispatcher(make_world(), retry_after=1.0, retry_at_most=60.0)._pause_after(error)

    assert least <= pause <= most


async def test_it_logs_a_change_of_health_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", logger="gateway.sync")
    world = make_world(TransientError("no route"), TransientError("no route"), last=3)

    await drain(world)

    assert [(record.levelname, record.message) for record in caplog.records] == [
        ("WARNING", "sink erp is disconnected: no route"),
        ("INFO", "sink erp is connected: takes postings"),
    ]


async def test_a_refused_posting_is_offered_alone_as_soon_as_it_is_asked_for() -> None:
    world = make_world(last=3, through=3)
    task = asyncio.create_task(make_dispatcher(world).run())
    await world.tried.wait()
    world.ask(2)
    await world.tried.wait()
    task.cancel()

    assert ([(2, 2)], [(2, "")], 3) == (world.sink.sent, world.outcomes, world.through)


async def test_what_was_asked_for_before_a_restart_is_offered_at_once() -> None:
    world = make_world(last=3, through=3, again=[1, 3])

    await run(make_dispatcher(world), world.tried)

    assert [(1, ""), (3, "")] == world.outcomes


async def test_a_posting_that_is_refused_again_brings_the_new_reason() -> None:
    world = make_world(all_but(2, "lot is blocked"), last=3, through=3, again=[2])

    await run(make_dispatcher(world), world.tried)

    assert [(2, "lot is blocked")] == world.outcomes


@pytest.mark.parametrize(
    "answer",
    [TransientError("gone"), SinkRejected("403"), Postponed("busy", 0), TooLarge("413"), only()],
    ids=["no answer", "the request is refused", "put off", "too large", "later"],
)
async def test_another_try_that_brings_no_answer_comes_again(answer: Answer) -> None:
    world = make_world(answer, last=3, through=3, again=[2])

    await run(make_dispatcher(world), world.tried)

    assert ([(2, 2), (2, 2)], [(2, "")]) == (world.sink.sent, world.outcomes)


async def test_a_try_without_an_answer_lets_the_next_one_go_first() -> None:
    world = make_world(TransientError("gone"), last=3, through=3, again=[1, 3])

    await run(make_dispatcher(world), world.tried)

    assert [(3, ""), (1, "")] == world.outcomes


async def test_another_try_does_not_hold_up_the_log() -> None:
    world = make_world(last=3, through=3, again=[2])
    deliver = world.sink.deliver

    async def never_the_second(gateway: str, store: str, documents: Sequence[Document]) -> Delivery:
        if documents[0].seq == 2:
            raise TransientError("500 for this one")
        return await deliver(gateway, store, documents)

    world.sink.deliver = never_the_second  # type: ignore[method-assign]
    world.last = 9
    await drain(world)

    assert (9, [2]) == (world.through, world.again)


async def test_postings_from_before_a_restore_are_handed_over_under_the_id_they_bear() -> None:
    world = make_world(last=25)
    world.lineage = Lineage("G", "NEW", (Former("OLD", 90, 12),))

    await drain(world)

    assert world.sink.sent == [(1, 10), (11, 12), (13, 22), (23, 25)]
    assert world.sink.stores == ["OLD", "OLD", "NEW", "NEW"]
