"""What is renewed while the sink runs: its next request believes, and is, what the files say by then."""

import gzip
import json
import ssl
import threading
from collections.abc import AsyncIterator, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socket import socket
from typing import Any

import pytest

from gateway.errors import ConfigError, TransientError
from gateway.ports import Delivery
from gateway.sinks.http import HttpSink
from tests.contract.sinks.conftest import make_documents
from tests.contract.test_security_tls import WRONG, Plant, Wrong, make_sink, revoked
from tests.harness.certificates import Issued

BOOKED = Delivery(frozenset({1, 2}), {})


class Central(ThreadingHTTPServer):
    """Books everything; `issued` is the certificate that it shows from the next connection on."""

    daemon_threads = True

    def __init__(self, issued: Issued, *, hangs_up: bool) -> None:
        super().__init__(("127.0.0.1", 0), Books)
        self.issued = issued
        self.hangs_up = hangs_up  # after each answer, as a server does with an idle connection
        self.tokens: list[str] = []  # of each request

    def get_request(self) -> tuple[socket, Any]:
        plain, address = super().get_request()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*self.issued)
        return context.wrap_socket(plain, server_side=True, do_handshake_on_connect=False), address

    def handle_error(self, *_: object) -> None:
        """Somebody hung up."""


class Books(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Central

    def do_POST(self) -> None:
        packed = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.tokens.append(self.headers["Authorization"])
        items = json.loads(gzip.decompress(packed))["items"]
        answer = json.dumps({"results": [{"seq": one["seq"], "status": "booked"} for one in items]}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        if self.server.hangs_up:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        """It has nothing to say."""


@pytest.fixture
def plant(tmp_path: Path) -> Plant:
    return Plant(tmp_path)


@pytest.fixture
def central(plant: Plant, request: pytest.FixtureRequest) -> Iterator[Central]:
    with Central(plant.line.issue("good"), hangs_up=request.param) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
async def sink(plant: Plant, central: Central) -> AsyncIterator[HttpSink]:
    made = make_sink(plant, central.server_port)
    yield made
    await made.close()


both = pytest.mark.parametrize("central", [True, False], ids=["hangs up", "stays connected"], indirect=True)
hanging_up = pytest.mark.parametrize("central", [True], ids=["hangs up"], indirect=True)


async def deliver(sink: HttpSink) -> Delivery:
    return await sink.deliver("PLANT1-L1", "store", make_documents(1, 2))


@hanging_up
@pytest.mark.parametrize(("wrong", "why", "way_out"), WRONG)
async def test_a_server_that_is_wrong_by_the_next_connection_hears_nothing_more(
    plant: Plant, central: Central, sink: HttpSink, *, wrong: Wrong, why: str, way_out: str
) -> None:
    before = await deliver(sink)
    central.issued = wrong(plant)
    with pytest.raises(TransientError, match=why) as caught:
        await deliver(sink)

    assert (BOOKED, 1) == (before, len(central.tokens))
    assert way_out in str(caught.value)


@both
async def test_a_server_hears_nothing_more_once_its_own_certificate_is_revoked(
    plant: Plant, central: Central, sink: HttpSink
) -> None:
    central.issued = plant.line.issue("server")
    before = await deliver(sink)
    plant.publish(line=plant.line.revocations(central.issued))
    with pytest.raises(TransientError, match="was revoked"):
        await deliver(sink)

    assert (BOOKED, 1) == (before, len(central.tokens))


@both
async def test_a_server_that_was_refused_is_believed_with_its_new_certificate(
    plant: Plant, central: Central, sink: HttpSink
) -> None:
    central.issued = revoked(plant)
    with pytest.raises(TransientError, match="was revoked"):
        await deliver(sink)
    central.issued = plant.line.issue("another")

    assert await deliver(sink) == BOOKED


@both
async def test_a_renewed_token_is_sent_with_the_next_request(plant: Plant, central: Central, sink: HttpSink) -> None:
    await deliver(sink)
    (plant.folder / "secret").write_text("another horse")
    await deliver(sink)

    assert ["Bearer correct horse", "Bearer another horse"] == central.tokens


@both
async def test_while_a_renewed_list_can_not_be_read_nothing_is_sent(
    plant: Plant, central: Central, sink: HttpSink
) -> None:
    await deliver(sink)
    plant.crl.write_text("half a file")
    for _ in range(2):
        with pytest.raises(ConfigError, match=r"lists\.pem"):
            await deliver(sink)
    plant.publish()

    assert await deliver(sink) == BOOKED
    assert 2 == len(central.tokens)


@both
async def test_while_the_token_can_not_be_read_nothing_is_sent(plant: Plant, central: Central, sink: HttpSink) -> None:
    await deliver(sink)
    (plant.folder / "secret").unlink()
    with pytest.raises(ConfigError, match=r"sink erp, token: secret .* can't be read"):
        await deliver(sink)

    assert 1 == len(central.tokens)
