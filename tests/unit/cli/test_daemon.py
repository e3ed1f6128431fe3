"""Whom the commands take for the running gateway, and what they say where it isn't, or doesn't answer as it should."""

import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from socketserver import BaseRequestHandler, ThreadingTCPServer
from threading import Thread
from typing import Any

import pytest
import yaml
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from gateway.cli import daemon as commands
from gateway.errors import TransientError
from gateway.runtime.local_token import local_token_path
from tests.harness.certificates import CLIENT_ONLY, Authority, Issued
from tests.harness.ports import free_port
from tests.unit.cli.conftest import Daemon, Outcome

Gateway = Callable[..., Outcome]
DONE = b'HTTP/1.1 200 OK\r\nContent-Length: 15\r\nConnection: close\r\n\r\n{"result":true}'


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Issued]:
    """The API's certificate with its intermediate in one file, and what others may have."""
    folder = tmp_path_factory.mktemp("pki")
    root = Authority(folder, "plant-ca")
    line = root.intermediate("line-ca")
    return {
        "the API's": line.issue("api", host="127.0.0.9"),
        "expired": line.issue("expired", days=-1),
        "for clients": line.issue("client", usages=CLIENT_ONLY),
        "another of its intermediate": line.issue("other", host="127.0.0.9"),
        "a renewed one": line.issue("renewed", host="127.0.0.9"),
        "its intermediate": _identity(folder, line),
        "its root": _identity(folder, root),
        "a stranger's": Authority(folder, "strange-ca").issue("stranger"),
    }


def _identity(folder: Path, authority: Authority) -> Issued:
    key = authority.certificate.with_suffix(".key")
    key.write_bytes(authority._key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return Issued(authority.certificate, key)


def context(identity: Issued) -> ssl.SSLContext:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(identity.certificate, identity.key)
    return made


@contextmanager
def listening(daemon: Daemon, answer: bytes | None, tls: ssl.SSLContext | None = None) -> Iterator[bytearray]:
    """Have somebody listen in the gateway's place, who says `answer`; yield what they heard, complete at the end.

    None: they never answer; empty: they hang up.
    """
    heard = bytearray()

    class Handler(BaseRequestHandler):
        def handle(self) -> None:
            with suppress(OSError):
                connection = tls.wrap_socket(self.request, server_side=True) if tls else self.request
                with connection:
                    self._talk(connection)

        def _talk(self, connection: Any) -> None:
            heard.extend(connection.recv(65536))
            connection.sendall(answer or b"")
            while answer != b"" and (more := connection.recv(65536)):
                heard.extend(more)

    with ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        _configure(daemon, listen=f"127.0.0.1:{server.server_address[1]}")
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield heard
        finally:
            server.shutdown()
            thread.join()


def _configure(daemon: Daemon, **api: Any) -> None:
    path = daemon.config / "gateway.yaml"
    data = yaml.safe_load(path.read_text("utf-8"))
    path.write_text(yaml.safe_dump(data | {"api": data["api"] | api}), "utf-8")


def believes(daemon: Daemon, identity: Issued) -> None:
    """Configure the API's certificate."""
    _configure(daemon, tls={"certificate": str(identity.certificate), "private_key": str(identity.key)})


def discard(daemon: Daemon, gateway: Gateway) -> Outcome:
    """Give a command with a password."""
    secret = daemon.config / "password"
    secret.write_text("canary", "utf-8")
    signed = ("--user", "eva", "--password-file", secret)
    return gateway("discard", daemon.config, 3, "--reason", "known", *signed)


@pytest.mark.parametrize("whose", ["the API's", "expired", "for clients"])
def test_who_has_the_configured_certificate_is_the_gateway(
    daemon: Daemon, gateway: Gateway, pki: dict[str, Issued], whose: str
) -> None:
    believes(daemon, pki[whose])
    with listening(daemon, DONE, context(pki[whose])) as heard:
        outcome = discard(daemon, gateway)

    assert (0, "letter 3 is closed: nothing comes of it\n") == (outcome.code, outcome.output)
    assert b"canary" in heard


@pytest.mark.parametrize(
    "whose", ["another of its intermediate", "a renewed one", "its intermediate", "its root", "a stranger's"]
)
def test_who_has_another_certificate_hears_nothing(
    daemon: Daemon, gateway: Gateway, pki: dict[str, Issued], whose: str
) -> None:
    believes(daemon, configured := pki["the API's"])
    with listening(daemon, DONE, context(pki[whose])) as heard:
        outcome = discard(daemon, gateway)

    assert (1, "", b"") == (outcome.code, outcome.output, heard)
    assert f"answers with another certificate than {configured.certificate}" in outcome.error
    assert "send the gateway SIGHUP" in outcome.error


def test_the_status_names_the_other_certificate_too(daemon: Daemon, gateway: Gateway, pki: dict[str, Issued]) -> None:
    believes(daemon, pki["the API's"])
    with listening(daemon, DONE, context(pki["a renewed one"])) as heard:
        outcome = gateway("status", daemon.config)

    assert (0, b"") == (outcome.code, heard)
    assert "answers with another certificate" in " ".join(outcome.output.split())


def page(body: bytes, status: bytes = b"200 OK") -> bytes:
    """Return the answer of another program."""
    return b"HTTP/1.1 %s\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s" % (status, len(body), body)


# What it answers, its certificate, the configured one (empty: plain HTTP, both) → what the command says.
TROUBLES: dict[str, tuple[bytes | None, str, str, str]] = {
    "no TLS": (
        DONE,
        "",
        "the API's",
        "does not answer in TLS\n→ if api.tls came into gateway.yaml since its start, restart",
    ),
    "silent in TLS": (None, "", "the API's", "has not answered within 1 s\n→ see what it logs; before you repeat"),
    "silent": (None, "", "", "has not answered within 1 s\n→ see what it logs; before you repeat a command, look"),
    "hangs up": (
        b"",
        "",
        "",
        "broke off without an answer\n→ if api.tls was taken out of gateway.yaml since its start",
    ),
    "hangs up in TLS": (b"", "the API's", "the API's", "broke off without an answer\n→ see what it logs"),
    "TLS": (DONE, "the API's", "", "broke off without an answer\n→ if api.tls was taken out of gateway.yaml since its"),
    "no HTTP": (b"220 mail\r\n\r\n", "", "", "broke off without an answer\n→"),
    "a web page": (
        b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n<p/>",
        "",
        "",
        "is no gateway\n→ somebody else has its port",
    ),
    "another program without that address": (
        page(b'{"detail":"Not Found"}', b"404 Not Found"),
        "",
        "",
        "doesn't know that command\n→ it is another program, or an older gateway: correct api.listen",
    ),
    "another program that takes no POST": (page(b"", b"405 No"), "", "", "doesn't know that command\n→ it is another"),
    "an error of another program": (page(b'{"detail":["no"]}', b"400 Bad"), "", "", "the gateway answered 400\n"),
    "another gateway": (
        b'HTTP/1.1 401 No\r\nWWW-Authenticate: Bearer realm="gateway"\r\nContent-Length: 0\r\n\r\n',
        "",
        "",
        "does not know the token of this store\n→ somebody else has its port: correct api.listen",
    ),
}


@pytest.mark.parametrize("case", TROUBLES)
def test_a_command_says_what_is_the_matter_with_what_listens_there(
    daemon: Daemon, gateway: Gateway, pki: dict[str, Issued], monkeypatch: pytest.MonkeyPatch, case: str
) -> None:
    answer, shown, believed, said = TROUBLES[case]
    if believed:
        believes(daemon, pki[believed])
    if answer is None:
        monkeypatch.setattr(commands, "_WORK", 1.0)
    with listening(daemon, answer, context(pki[shown]) if shown else None):
        outcome = discard(daemon, gateway)

    assert (1, "") == (outcome.code, outcome.output)
    assert said in outcome.error


def test_an_entry_nobody_could_ask_about_is_not_called_empty(daemon: Daemon, gateway: Gateway) -> None:
    _configure(daemon, listen=f"127.0.0.1:{free_port()}")
    outcome = gateway("settle", daemon.config, 3, "--as-proposed", "--reason", "R01")

    assert 1 == outcome.code
    assert outcome.error.startswith("no gateway answers at 127.0.0.1:")


def test_a_token_that_cannot_be_read_is_no_gateway_that_is_away(daemon: Daemon, gateway: Gateway) -> None:
    daemon.is_away()
    token = local_token_path(daemon.config / "var" / "gateway.db")
    token.mkdir()  # root may read any file
    outcome = gateway("retry", daemon.config)

    assert 1 == outcome.code
    assert f"can't read {token}: Is a directory\n→ run it as the user the gateway runs as\n" == outcome.error


def test_what_was_done_is_told_even_where_nobody_says_what_waits(
    daemon: Daemon, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> None:
        raise TransientError("no gateway answers")

    monkeypatch.setattr(commands, "ask", away)
    outcome = gateway("enter", daemon.config, "100045", "0010", "--good", "3")

    assert (0, "") == (outcome.code, outcome.error)
    assert outcome.output


@pytest.mark.parametrize("said", [b"{}", b"[]", b'"ok"', b"null", b"7"])
@pytest.mark.parametrize("how", ["retry", "settle", "status"])
def test_another_program_that_answers_everything_in_json_is_no_gateway(
    daemon: Daemon, gateway: Gateway, how: str, said: bytes
) -> None:
    more = (3, "--as-proposed", "--reason", "R01") if how == "settle" else ()
    with listening(daemon, page(said)):
        outcome = gateway(how, daemon.config, *more)

    assert (0 if how == "status" else 1) == outcome.code
    assert "is no gateway" in " ".join((outcome.error + outcome.output).split())


@pytest.mark.parametrize("left", [b"", b"\n", b"\xff\xfe", "größe".encode(), b"two\nlines"])
def test_a_file_that_holds_no_token_is_told(daemon: Daemon, gateway: Gateway, left: bytes) -> None:
    token = local_token_path(daemon.config / "var" / "gateway.db")
    token.write_bytes(left)
    outcome = gateway("retry", daemon.config)

    assert 1 == outcome.code
    assert f"{token} holds no token\n→ restart the gateway: it writes a new one\n" == outcome.error


def test_a_line_feed_after_the_token_is_none_of_it(daemon: Daemon, gateway: Gateway) -> None:
    local_token_path(daemon.config / "var" / "gateway.db").write_bytes(b"secret\n")
    gateway("retry", daemon.config)

    assert ["Bearer secret"] == daemon.tokens
