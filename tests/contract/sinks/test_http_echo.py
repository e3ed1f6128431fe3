"""A central system that says the token back, wherever it can: nothing of that goes on to logs, pages and the store."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from gateway.errors import GatewayError
from gateway.sinks.http import HttpSink, HttpSinkSettings
from tests.contract.sinks.conftest import make_documents

TOKEN = "canary/7+f3a~b=="
Answer = Callable[[str], str]


def http(head: str, body: str = "") -> str:
    return f"HTTP/1.1 {head}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n{body}"


def result(fields: str) -> str:
    return http("200 OK", f'{{"results": [{{{fields}}}]}}')


ECHOES: dict[str, Answer] = {
    "phrase": lambda token: http(f"403 Forbidden {token}"),
    "phrase of 503": lambda token: http(f"503 Busy {token}\r\nRetry-After: 17"),
    "phrase of 413": lambda token: http(f"413 Large {token}"),
    "body": lambda token: http("400 Bad Request", token),
    "body, where it is cut": lambda token: http("400 Bad Request", "x" * 930 + token * 9),
    "unknown status": lambda token: result(f'"seq": 1, "status": "{token}"'),
    "reason": lambda token: result(f'"seq": 1, "status": "rejected", "reason": "you sent {token}"'),
    "reason, where it is cut": lambda token: result(
        f'"seq": 1, "status": "rejected", "reason": "{"x" * 990 + token * 9}"'
    ),
    "status line": lambda token: f"{token}\r\n\r\n",
    "header": lambda token: f"HTTP/1.1 200 OK\r\n{token}\r\n\r\n",
}
QUOTED = {
    "as it is": TOKEN,
    "JSON": TOKEN.replace("/", r"\/"),
    "JSON in ASCII": r"canary\u002f7\u002Bf3a\u007eb\u003D\u003D",
    "HTML": "canary&#47;7&#x2B;f3a&#126;b&#061;&#x3d;",
    "URL": "canary%2F7%2bf3a%7Eb%3D%3D",
}


@asynccontextmanager
async def answering(answer: str) -> AsyncIterator[int]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer.encode())
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]


async def shown(folder: Path, answer: str, sent: str = TOKEN) -> str:
    """Return all that goes on from such an answer."""
    (folder / "token").write_text(sent)
    token = {"file": str(folder / "token")}
    async with answering(answer) as port:
        settings = {"sink": "erp", "kind": "http", "url": f"http://127.0.0.1:{port}/", "token": token}
        sink = HttpSink(HttpSinkSettings.model_validate(settings))
        try:
            return str(await sink.deliver("G", "S", make_documents(1, 1)))
        except GatewayError as error:
            return f"{error} {error!r}"
        finally:
            await sink.close()


@pytest.mark.parametrize("answer", ECHOES.values(), ids=ECHOES.keys())
async def test_the_token_is_replaced_wherever_it_is_said_back(tmp_path: Path, answer: Answer) -> None:
    said = await shown(tmp_path, answer(TOKEN))

    assert "(token)" in said
    assert "canary" not in said


@pytest.mark.parametrize("quoted", QUOTED.values(), ids=QUOTED.keys())
async def test_the_token_is_replaced_however_it_is_quoted(tmp_path: Path, quoted: str) -> None:
    said = await shown(tmp_path, http("400 Bad Request", f'{{"detail": "{quoted}", "code": 7}}'))

    assert '{"detail": "(token)", "code": 7}' in said


async def test_an_answer_that_is_no_list_of_results_does_not_show_what_it_is(tmp_path: Path) -> None:
    said = await shown(tmp_path, result(f'"seq": "{TOKEN}", "status": "booked"'))

    assert "no list of results" in said
    assert "canary" not in said


async def test_what_is_said_without_the_token_stays_as_it_is(tmp_path: Path) -> None:
    said = await shown(tmp_path, http("400 Bad Request", "a canary of 7 f3a"))

    assert "400 Bad Request: a canary of 7 f3a" in said


LONG = "canary" + "/" * 20
LONG_QUOTED = "canary" + "&#x0000002F;" * 20  # so that many of them are few characters once they are replaced


@pytest.mark.parametrize("before", range(0, len(LONG_QUOTED), 40))
async def test_of_an_endless_answer_no_part_of_the_token_goes_on(tmp_path: Path, before: int) -> None:
    said = await shown(tmp_path, http("400 Bad Request", "x" * before + LONG_QUOTED * 200), LONG)

    assert "(token)" in said
    assert "canary" not in said


async def test_of_an_endless_answer_only_the_beginning_is_searched(tmp_path: Path) -> None:
    said = await shown(tmp_path, http("400 Bad Request", LONG_QUOTED * 200), LONG)

    assert 0 < said.count("(token)") < 2 * 70  # in the message and its repr


async def test_an_endless_answer_full_of_a_long_token_is_shown_as_nothing_rather_than_as_a_part(tmp_path: Path) -> None:
    token = "canary" + "/" * 3000
    said = await shown(tmp_path, http("400 Bad Request", ("canary" + "&#x0000002F;" * 3000) * 3), token)

    assert "canary" not in said
