"""What the HTTP sink promises besides: the request's form, and what each answer means."""

import gzip
import json
import socket

import pytest
from starlette.responses import Response

from gateway.errors import GatewayError, Postponed, SinkRejected, TooLarge, TransientError
from gateway.ports import Delivery
from gateway.sinks.http import HttpSink, HttpSinkSettings
from tests.contract.sinks.central import TOKEN
from tests.contract.sinks.conftest import PLUGINS, Target, make_documents

pytestmark = pytest.mark.parametrize("target", [one for one in PLUGINS if one.kind == "http"], indirect=True)


async def answered(target: Target, answer: Response) -> Delivery:
    target.system.answers.append(answer)
    return await target.sink.deliver("G", "S", make_documents(7, 9))


async def test_the_request_carries_the_stored_bytes_gzipped(target: Target) -> None:
    await target.sink.deliver("G", "S", make_documents(7, 8))

    headers, packed = target.system.requests[0]
    assert headers["content-encoding"] == "gzip"
    assert (
        gzip.decompress(packed)
        == b'{"gateway":"G","store":"S","items":[{"seq":7,"quantity":"7.50"},{"seq":8,"quantity":"8.50"}]}'
    )


async def test_the_same_postings_are_the_same_request(target: Target) -> None:
    await target.sink.deliver("G", "S", make_documents(7, 9))
    await target.sink.deliver("G", "S", make_documents(7, 9))

    first, second = target.system.requests
    assert first == second
    assert first[0]["idempotency-key"] == "G:S:7-9"


async def test_it_sends_the_token_of_the_file(target: Target) -> None:
    await target.sink.deliver("G", "S", make_documents(7, 9))

    assert target.system.requests[0][0]["authorization"] == f"Bearer {TOKEN}"


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (408, TransientError),
        (425, TransientError),
        (429, TransientError),
        (500, TransientError),
        (502, TransientError),
        (503, TransientError),
        (413, TooLarge),
        (301, SinkRejected),
        (400, SinkRejected),
        (401, SinkRejected),
        (403, SinkRejected),
        (404, SinkRejected),
        (422, SinkRejected),
    ],
)
async def test_a_refused_request_says_whether_to_try_again(
    target: Target, status: int, error: type[GatewayError]
) -> None:
    with pytest.raises(error, match=f"answered {status} .*: out of paper") as caught:
        await answered(target, Response("out of paper", status_code=status))

    assert type(caught.value) is error


async def test_after_503_the_same_postings_go_through(target: Target) -> None:
    with pytest.raises(TransientError):
        await answered(target, Response(status_code=503))

    delivery = await target.sink.deliver("G", "S", make_documents(7, 9))

    assert Delivery(frozenset({7, 8, 9}), {}) == delivery


async def test_retry_after_is_handed_on(target: Target) -> None:
    with pytest.raises(Postponed) as caught:
        await answered(target, Response(status_code=429, headers={"Retry-After": "17"}))

    assert caught.value.retry_after == 17


async def test_a_retry_after_that_is_a_date_leaves_the_pause_to_the_back_off(target: Target) -> None:
    with pytest.raises(TransientError) as caught:
        await answered(target, Response(status_code=503, headers={"Retry-After": "Sat, 21 Nov 2026 10:00:00 GMT"}))

    assert type(caught.value) is TransientError


@pytest.mark.parametrize(
    "content",
    [
        "",
        "<html>",
        "[]",
        "null",
        '{"results": null}',
        '{"results": [1]}',
        '{"results": [{"status": "booked"}]}',
        '{"results": [{"seq": "x", "status": "booked"}]}',
        '{"results": [{"seq": 7, "status": "fine"}]}',
    ],
)
async def test_an_answer_nobody_understands_delivers_nothing(target: Target, content: str) -> None:
    with pytest.raises(SinkRejected, match=r"no list of results|unknown status 'fine' for seq 7"):
        await answered(target, Response(content))


async def test_a_refusal_without_a_reason_says_so(target: Target) -> None:
    results = {"results": [{"seq": 7, "status": "rejected", "reason": None}]}

    delivery = await answered(target, Response(json.dumps(results)))

    assert delivery.rejected == {7: "no reason was given"}


async def test_a_server_that_never_answers_is_given_up(target: Target) -> None:
    with socket.create_server(("127.0.0.1", 0)) as hole:
        url = f"http://127.0.0.1:{hole.getsockname()[1]}/"
        sink = HttpSink(HttpSinkSettings.model_validate(target.settings | {"url": url, "timeout": "1s"}))

        with pytest.raises(TransientError, match="did not answer: ReadTimeout"):
            await sink.deliver("G", "S", make_documents(1, 1))
        await sink.close()


async def test_a_system_that_says_the_token_back_does_not_bring_it_into_our_logs(target: Target) -> None:
    target.system.answers.append(Response(f"you sent Authorization: Bearer {TOKEN}", status_code=400))

    with pytest.raises(SinkRejected, match=r"you sent Authorization: Bearer \(token\)") as caught:
        await target.sink.deliver("PLANT1-L1", "store", make_documents(1, 1))

    assert TOKEN not in str(caught.value)
