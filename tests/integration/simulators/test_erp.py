"""The central ERP over HTTP, receiving and pulling."""

import asyncio
import gzip
import json

import httpx
import pytest
import uvicorn
from fastapi import FastAPI, HTTPException
from starlette.responses import JSONResponse

from simulators.books import Books, books
from simulators.erp import EmbeddedServer, Erp, ErpFaults, ErpSettings
from simulators.link import bound_socket
from simulators.puller import Puller, PullSettings
from simulators.until import until


def make_posting(seq):
    return {"seq": seq, "hash": f"sha256:{seq}", "triggers": []}


def make_batch(*seqs):
    return {"gateway": "G", "store": "S", "items": [make_posting(seq) for seq in seqs]}


@pytest.fixture
async def erp(tmp_path):
    erp = Erp(tmp_path / "erp.db", ErpSettings(token_file=tmp_path / "token", faults=ErpFaults()))
    await erp.start()
    yield erp
    await erp.stop()


@pytest.fixture
async def client(erp, tmp_path):
    headers = {"Authorization": f"Bearer {(tmp_path / 'token').read_text()}"}
    async with httpx.AsyncClient(headers=headers, trust_env=False, timeout=60) as client:
        yield client


def statuses(answer):
    return [result["status"] for result in answer.json()["results"]]


async def test_a_batch_is_booked_once(erp, client, tmp_path):
    first = await client.post(erp.url, json=make_batch(1, 2))
    second = await client.post(erp.url, json=make_batch(2, 3))

    assert [["booked", "booked"], ["duplicate", "booked"]] == [statuses(first), statuses(second)]
    assert [make_posting(seq) for seq in (1, 2, 3)] == books(tmp_path / "erp.db")


async def test_a_compressed_batch_is_understood(erp, client):
    body = gzip.compress(json.dumps(make_batch(1)).encode())
    answer = await client.post(erp.url, content=body, headers={"Content-Encoding": "gzip"})

    assert ["booked"] == statuses(answer)


async def test_a_stranger_is_turned_away(erp):
    async with httpx.AsyncClient(trust_env=False, timeout=60) as stranger:
        answer = await stranger.post(erp.url, json=make_batch(1), headers={"Authorization": "Bearer wrong"})

    assert 401 == answer.status_code


async def test_a_malformed_batch_is_422(erp, client):
    answers = [await client.post(erp.url, content=body) for body in (b"{", b"[]", b'{"gateway":"G"}')]

    assert [422, 422, 422] == [answer.status_code for answer in answers]


async def test_each_nth_posting_is_put_off_once(erp, client):
    erp.faults.later_every = 2
    answers = [await client.post(erp.url, json=make_batch(1, 2)) for _ in range(2)]

    assert [["booked", "later"], ["duplicate", "booked"]] == [statuses(answer) for answer in answers]


async def test_each_nth_posting_is_rejected_with_a_reason(erp, client):
    erp.faults.reject_every = 2
    answer = await client.post(erp.url, json=make_batch(1, 2))

    assert ["booked", "rejected"] == statuses(answer)
    assert answer.json()["results"][1]["reason"]


async def test_a_failing_erp_answers_503(erp, client):
    erp.faults.fail_rate = 1.0

    assert 503 == (await client.post(erp.url, json=make_batch(1))).status_code


async def test_an_erp_that_was_away_comes_back_on_its_port(erp, client):
    await erp.pause()
    with pytest.raises(httpx.ConnectError):
        await client.post(erp.url, json=make_batch(1))
    await erp.resume()

    assert ["booked"] == statuses(await client.post(erp.url, json=make_batch(1)))


class Gateway:
    """A pull API with `last` postings that keeps those from `first` on; the first `failing` acknowledgements fail."""

    def __init__(self, store="S", first=1, last=5, failing=0):
        self.store, self.first, self.last, self.failing = store, first, last, failing
        self.acknowledged = []
        self.app = FastAPI()
        self.app.get("/api/v1/postings")(self.page)
        self.app.post("/api/v1/consumers/erp/ack")(self.acknowledge)

    def page(self, after: int, store: str | None = None):
        if store not in {None, self.store}:
            return JSONResponse({"detail": "another store", "store": self.store}, 409)
        if after < self.first - 1:
            return JSONResponse({"detail": "gone", "first_available": self.first}, 410)
        items = [make_posting(seq) for seq in range(after + 1, min(after + 2, self.last) + 1)]
        through = items[-1]["seq"] if items else after
        more = through < self.last
        return {"gateway": "G", "store": self.store, "items": items, "next_after": through, "has_more": more}

    def acknowledge(self, body: dict):
        if self.failing:
            self.failing -= 1
            raise HTTPException(503)
        self.acknowledged.append((body["store"], body["through"]))


@pytest.fixture
async def pulled(tmp_path):
    """Serve a gateway, pull from it until the last posting is acknowledged, and return the books."""
    (tmp_path / "pull-token").write_text("secret")

    async def pull(gateway, store=None):
        listening = bound_socket()
        server = EmbeddedServer(uvicorn.Config(gateway.app, log_config=None, lifespan="off", ws="none", loop="none"))
        serving = asyncio.ensure_future(server.serve(sockets=[listening]))
        own = Books(tmp_path / "erp.db")
        if store:
            own.move_cursor("erp", store, 3)
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        puller = Puller(own, PullSettings(url, tmp_path / "pull-token"))
        puller.start()
        assert await until(lambda: (gateway.store, gateway.last) in gateway.acknowledged, within=60)
        await puller.stop()
        own.close()
        server.should_exit = True
        await serving
        return [body["seq"] for body in books(tmp_path / "erp.db")]

    return pull


async def test_the_puller_books_and_acknowledges_page_by_page(pulled):
    gateway = Gateway()

    assert [1, 2, 3, 4, 5] == await pulled(gateway)
    assert [("S", 2), ("S", 4), ("S", 5)] == gateway.acknowledged


async def test_the_puller_starts_over_with_another_store(pulled):
    assert [1, 2, 3, 4, 5] == await pulled(Gateway(store="T"), store="S")


async def test_the_puller_jumps_over_what_is_no_longer_kept(pulled):
    assert [3, 4, 5] == await pulled(Gateway(first=3))


async def test_an_acknowledgement_that_failed_is_sent_again_even_if_nothing_new_comes(pulled):
    assert [1] == await pulled(Gateway(last=1, failing=1))
