"""Dead letters and refused postings on the command line."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from gateway.store.batch import Batch, Closing, ConsumerKey, ConsumerKind, DeadLetter, Rejection
from gateway.store.store import Registration, Store
from tests.unit.cli.conftest import Daemon, Outcome

Gateway = Callable[..., Outcome]
NOW = datetime(2026, 11, 21, 10, tzinfo=UTC)
LETTERS = [
    DeadLetter("PACKER-1", "line1/packer", b'{"id":\n null}', "$.id is missing", NOW),
    DeadLetter("SCALE-1", "line1/\x1b[2Jscale", b"\x00\x01\xff", "the payload is no JSON", NOW),
]


@pytest.fixture(autouse=True)
def _store(daemon: Daemon, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")

    async def fill() -> None:
        store = await Store.open(daemon.config / "var" / "gateway.db", "PLANT1-L1")
        await store.commit(Batch(dead_letters=LETTERS, rejections=[Rejection("erp", 2, "unknown item", NOW)]))
        await store.close()

    asyncio.run(fill())


def change(daemon: Daemon, batch: Batch) -> None:
    async def commit() -> None:
        store = await Store.open(daemon.config / "var" / "gateway.db", "PLANT1-L1")
        await store.commit(batch)
        await store.close()

    asyncio.run(commit())


def test_the_list_shows_what_it_says_and_why_it_waits(daemon: Daemon, gateway: Gateway) -> None:
    outcome = gateway("letters", daemon.config)

    assert 'line1/packer 13 {"id": null} $.id is missing' in " ".join(outcome.output.split())


def test_a_strangers_control_characters_never_reach_the_terminal(daemon: Daemon, gateway: Gateway) -> None:
    outcome = gateway("letters", daemon.config)

    assert "\x1b" not in outcome.output
    assert "line1/\\x1b[2Jscale" in outcome.output
    assert "00 01 ff" in outcome.output


@pytest.mark.parametrize(("number", "bytes_"), [(1, '{"id":\n null}\n'), (2, "00 01 ff\n")])
def test_one_letter_is_shown_with_all_its_bytes(daemon: Daemon, gateway: Gateway, number: int, bytes_: str) -> None:
    outcome = gateway("letters", daemon.config, "--id", number)

    assert outcome.output.endswith(bytes_)


def test_a_letter_that_never_was_is_refused(daemon: Daemon, gateway: Gateway) -> None:
    outcome = gateway("letters", daemon.config, "--id", 9)

    assert (1, "there is no dead letter 9") == (outcome.code, outcome.error.splitlines()[0])


def test_closed_letters_say_by_whom_and_why(daemon: Daemon, gateway: Gateway) -> None:
    change(daemon, Batch(closed_letters={1: Closing(NOW, "read again", "anna")}))
    outcome = gateway("letters", daemon.config, "--closed")

    assert "$.id is missing · closed by anna: read again" in outcome.output


def test_refused_postings_say_by_whom_and_why(daemon: Daemon, gateway: Gateway) -> None:
    change(daemon, Batch(asked_again=[("erp", 2)]))
    outcome = gateway("refused", daemon.config)

    assert "unknown item · is offered once more" in outcome.output


def test_a_refused_posting_of_a_sink_that_is_gone_says_how_it_is_closed(daemon: Daemon, gateway: Gateway) -> None:
    async def start_without_it() -> None:
        store = await Store.open(daemon.config / "var" / "gateway.db", "PLANT1-L1")
        await store.register([Registration(ConsumerKey(ConsumerKind.SINK, "erp"), required=True)], NOW)
        await store.register([], NOW)
        await store.close()

    asyncio.run(start_without_it())
    outcome = gateway("refused", daemon.config)

    assert "unknown item · sink erp is not in gateway.yaml any more: gateway settle-posting closes it" in outcome.output


def test_one_letter_is_redriven(daemon: Daemon, gateway: Gateway) -> None:
    daemon.answer = {"result": "came again by itself"}
    outcome = gateway("redrive", daemon.config, "--letter", 1)

    assert [("/api/v1/commands/redrive-letter", {"letter": 1, "signature": None})] == daemon.asked
    assert outcome.output == "letter 1: came again by itself\n"


def test_a_letter_that_still_cannot_be_read_stays_and_says_what_to_do(daemon: Daemon, gateway: Gateway) -> None:
    daemon.status, daemon.answer = 409, {"detail": "$.id is missing", "hint": ""}
    outcome = gateway("redrive", daemon.config, "--letter", 1)

    assert (1, "letter 1 stays: $.id is missing") == (outcome.code, outcome.error.splitlines()[0])
    assert "gateway discard CONFIG_DIR 1" in outcome.error


def test_a_letter_that_never_was_does_not_stay(daemon: Daemon, gateway: Gateway) -> None:
    daemon.status, daemon.answer = 409, {"detail": "there is no open dead letter 9", "hint": "look"}
    outcome = gateway("redrive", daemon.config, "--letter", 9)

    assert (1, "there is no open dead letter 9") == (outcome.code, outcome.error.splitlines()[0])


def test_all_letters_are_redriven_once_each(daemon: Daemon, gateway: Gateway) -> None:
    outcome = gateway("redrive", daemon.config, "--all")

    assert [1, 2] == [body["letter"] for _, body in daemon.asked]
    assert outcome.output == "2 letters closed, 0 remain\n"


def test_what_remains_is_counted_by_reason(daemon: Daemon, gateway: Gateway) -> None:
    daemon.status, daemon.answer = 409, {"detail": "$.id is missing", "hint": ""}
    outcome = gateway("redrive", daemon.config, "--all")

    assert outcome.output == "0 letters closed, 2 remain\n  2 × $.id is missing\n"


def test_a_long_run_says_how_far_it_is_and_names_the_most_frequent_reasons(
    daemon: Daemon, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.cli.letters._TOLD", 10)
    monkeypatch.setattr("gateway.cli.letters._PAGE", 7)
    reasons = iter([f"reason {number % 12}" for number in range(22)])

    def refuse(*_: object) -> str:
        return next(reasons)

    monkeypatch.setattr("gateway.cli.letters._why_not", refuse)
    change(daemon, Batch(dead_letters=[LETTERS[0]] * 20))
    outcome = gateway("redrive", daemon.config, "--all")

    assert "10 letters: 0 closed, 10 remain\n20 letters: 0 closed, 20 remain\n" in outcome.output
    assert "  2 × reason 0\n" in outcome.output
    assert outcome.output.endswith("  and 2 other reasons\n")


def test_a_posting_is_offered_once_more(daemon: Daemon, gateway: Gateway) -> None:
    gateway("redrive", daemon.config, "--sink", "erp", "--posting", 2)

    assert [("/api/v1/commands/redrive-posting", {"sink": "erp", "seq": 2, "signature": None})] == daemon.asked


@pytest.mark.parametrize(
    "given", [(), ("--all", "--letter", 1), ("--posting", 2), ("--letter", 1, "--sink", "erp", "--posting", 2)]
)
def test_what_to_try_again_is_said_exactly_once(daemon: Daemon, gateway: Gateway, given: tuple[object, ...]) -> None:
    outcome = gateway("redrive", daemon.config, *given)

    assert (2, []) == (outcome.code, daemon.asked)


@pytest.mark.parametrize(
    ("words", "path", "body"),
    [
        (("discard", 1), "discard-letter", {"letter": 1}),
        (("settle-posting", "erp", 2), "settle-posting", {"sink": "erp", "seq": 2}),
    ],
)
def test_closing_by_hand_is_signed(
    daemon: Daemon, gateway: Gateway, words: tuple[object, ...], path: str, body: dict[str, object]
) -> None:
    password = daemon.config.parent / "password"
    password.write_text("correct horse\n", "utf-8")
    name, *options = words
    gateway(name, daemon.config, *options, "--reason", "seen", "--user", "eva", "--password-file", password)
    ((asked, sent),) = daemon.asked

    assert f"/api/v1/commands/{path}" == asked
    assert body | {"reason": "seen"} == {name: value for name, value in sent.items() if name != "signature"}
    assert "eva" == sent["signature"]["user"]
