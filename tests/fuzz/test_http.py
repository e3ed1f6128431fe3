"""Bytes that are no HTTP, or HTTP that nobody should send, at the API's own socket: refused, and everybody else served.

Longer: `HYPOTHESIS_PROFILE=nightly .venv/bin/pytest -n0 tests/fuzz/test_http.py` (see budget.py).
"""

import random
import re
import socket
from collections.abc import Iterator
from contextlib import suppress
from typing import NamedTuple

import pytest

from tests.fuzz.background import in_the_background
from tests.fuzz.budget import NIGHTLY, PATIENCE, times
from tests.harness.balance import assert_sound
from tests.harness.site import TOKEN, Site, open_site

pytestmark = pytest.mark.timeout(PATIENCE)

_STATUS = re.compile(rb"HTTP/1\.1 (\d{3}) ")
_TOKEN = f"Authorization: Bearer {TOKEN}\r\n".encode()
_HOST = b"Host: x\r\n" + _TOKEN
_POST = b"POST /api/v1/stagings HTTP/1.1\r\nContent-Type: application/json\r\n" + _HOST
RUBBISH = {
    "nothing": b"",
    "a line end": b"\r\n",
    "zeros": b"\x00" * 1000,
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\xaa" * 500,
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "no version": b"GET /healthz\r\n\r\n",
    "a strange version": b"GET /healthz HTTP/9.9\r\n" + _HOST + b"\r\n",
    "no host": b"GET /healthz HTTP/1.1\r\n\r\n",
    "a strange method": b"G\x00T /healthz HTTP/1.1\r\n" + _HOST + b"\r\n",
    "a long method": b"G" * 100_000 + b" /healthz HTTP/1.1\r\n" + _HOST + b"\r\n",
    "spaces": b"GET  /healthz   HTTP/1.1\r\n" + _HOST + b"\r\n",
    "a long path": b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\n" + _HOST + b"\r\n",
    "an endless path": b"GET /" + b"a" * 300_000,
    "bytes in the path": b"GET /\xff\xfe\x00 HTTP/1.1\r\n" + _HOST + b"\r\n",
    "bad escapes": b"GET /api/v1/orders/%zz%f HTTP/1.1\r\n" + _HOST + b"\r\n",
    "escaped bytes": b"GET /api/v1/orders/%ff%00%c0%80 HTTP/1.1\r\n" + _HOST + b"\r\n",
    "bytes in the query": b"GET /api/v1/genealogy?lot=%ff&item=%ed%a0%80 HTTP/1.1\r\n" + _HOST + b"\r\n",
    "the way up": b"GET /../../etc/passwd HTTP/1.1\r\n" + _HOST + b"\r\n",
    "a whole address": b"GET http://elsewhere/healthz HTTP/1.1\r\n" + _HOST + b"\r\n",
    "an asterisk": b"OPTIONS * HTTP/1.1\r\n" + _HOST + b"\r\n",
    "a tunnel": b"CONNECT elsewhere:443 HTTP/1.1\r\n" + _HOST + b"\r\n",
    "a websocket": b"GET /healthz HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" + _HOST + b"\r\n",
    "many headers": b"GET /healthz HTTP/1.1\r\n" + _HOST + b"X: y\r\n" * 2000 + b"\r\n",
    "a long header": b"GET /healthz HTTP/1.1\r\n" + _HOST + b"X: " + b"y" * 50_000 + b"\r\n\r\n",
    "an endless header": b"GET /healthz HTTP/1.1\r\nX: " + b"y" * 300_000,
    "a folded header": b"GET /healthz HTTP/1.1\r\n" + _HOST + b"X: y\r\n  z\r\n\r\n",
    "a header without a name": b"GET /healthz HTTP/1.1\r\n" + _HOST + b": y\r\n\r\n",
    "a header without a colon": b"GET /healthz HTTP/1.1\r\n" + _HOST + b"xyz\r\n\r\n",
    "a token of bytes": b"GET /api/v1/status HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \xff\xfe\r\n\r\n",
    "two tokens": b"GET /api/v1/status HTTP/1.1\r\n" + _HOST + _TOKEN + b"\r\n",
    "two lengths": _POST + b"Content-Length: 2\r\nContent-Length: 5\r\n\r\n{}",
    "a negative length": _POST + b"Content-Length: -1\r\n\r\n{}",
    "a word as length": _POST + b"Content-Length: many\r\n\r\n{}",
    "a huge length": _POST + b"Content-Length: 99999999999999999999\r\n\r\n{}",
    "length and chunks": _POST + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    "a chunk of no size": _POST + b"Transfer-Encoding: chunked\r\n\r\n\r\n{}\r\n0\r\n\r\n",
    "a chunk of a wrong size": _POST + b"Transfer-Encoding: chunked\r\n\r\n1\r\n{}\r\n0\r\n\r\n",
    "a chunk of a huge size": _POST + b"Transfer-Encoding: chunked\r\n\r\n" + b"f" * 30 + b"\r\n{}",
    "chunks without end": _POST + b"Transfer-Encoding: chunked\r\n\r\n" + b"1\r\n \r\n" * 1000,
    "another encoding": _POST + b"Transfer-Encoding: gzip\r\n\r\n\x1f\x8b",
    "less than it says": _POST + b"Content-Length: 100\r\n\r\n{}",
    "more than it says": _POST + b"Content-Length: 1\r\n\r\n{}}}}}",
    "no JSON": _POST + b"Content-Length: 4\r\n\r\n\xff\xfe{}",
    "deep JSON": _POST + b"Content-Length: 200000\r\n\r\n" + b"[" * 200_000,
    "two at once": b"GET /healthz HTTP/1.1\r\n" + _HOST + b"\r\nGARBAGE\r\n\r\n",
}


class Served(NamedTuple):
    site: Site
    said: list[str]


@pytest.fixture(scope="module")
def served(tmp_path_factory) -> Iterator[Served]:
    with open_site(tmp_path_factory.mktemp("http")) as site:
        with in_the_background(site) as heard:
            yield Served(site, heard.said)
        assert_sound(site.store)


def ask(served: Served, content: bytes) -> list[int]:
    """Send bytes and no more; return the status codes of what comes back."""
    answer = b""
    with socket.create_connection(("127.0.0.1", served.site.folder.api_port), timeout=60) as connection:
        with suppress(OSError):  # hung up on already: broken pipe, reset, or not connected any more
            connection.sendall(content)
            connection.shutdown(socket.SHUT_WR)
        with suppress(ConnectionError):
            while piece := connection.recv(65536):
                answer += piece
    return [int(code) for code in _STATUS.findall(answer)]


@pytest.mark.parametrize("name", RUBBISH)
def test_rubbish_is_refused_or_hung_up_on(served, name):
    answers = ask(served, RUBBISH[name])

    assert [] == [code for code in answers if code >= 500]
    assert [] == served.said
    assert served.site.answers("/readyz")


def test_damaged_requests_leave_the_server_as_it_was(served):
    seed = random.randrange(2**32) if NIGHTLY else 4711
    chance = random.Random(seed)
    for _ in range(times(100)):
        content = bytearray(chance.choice([one for one in RUBBISH.values() if 20 < len(one) < 2000]))
        for _ in range(chance.randint(1, 5)):
            at = chance.randrange(len(content))
            content[at : at + chance.choice((0, 1, 20))] = chance.choice(
                (b"", b"\r\n", b"\n", b"\x00", chance.randbytes(3))
            )

        assert [] == [code for code in ask(served, bytes(content)) if code >= 500], f"seed {seed}: {bytes(content)!r}"
    assert [] == served.said, f"seed {seed}"
    assert served.site.answers("/readyz")
