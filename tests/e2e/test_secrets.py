"""A canary in every secret, and none of them where somebody else reads: logs, answers, errors, files handed on."""

import json
import re
import signal
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from itertools import chain, repeat
from pathlib import Path
from typing import Any

import httpx
import pytest

from gateway.cli.demo_config import Ports
from gateway.runtime.bootstrap import load_config
from tests.harness.certificates import Authority
from tests.harness.ports import NOBODY
from tests.harness.process import Process
from tests.harness.site import TOKEN, Site
from tests.harness.until import until

pytestmark = pytest.mark.timeout(300)

CANARIES = {name: f"canary-{name}-7f3a" for name in ("mqtt", "opcua", "sink", "quality", "guessed", "literal", "env")}


class Echo(socketserver.BaseRequestHandler):
    """A stranger at every address, who says back whatever it is told."""

    def handle(self) -> None:
        while data := self.request.recv(4096):
            self.request.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n" + data)


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True

    def handle_error(self, *_: object) -> None:
        """Somebody hung up."""


class Parrot(BaseHTTPRequestHandler):
    """An ERP that says the token back: as a phrase, then as a status, and from then on as a reason."""

    ways = chain(("phrase", "status"), repeat("reason"))

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        way, said = next(self.ways), f"you sent {self.headers['Authorization']}"
        status = said if way == "status" else "rejected"
        body = json.dumps({"results": [{"seq": 1, "status": status, "reason": said}]}).encode()
        self.send_response(*((403, said) if way == "phrase" else (200,)))
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """It speaks to the gateway only."""


@contextmanager
def echoing(handler: type[socketserver.BaseRequestHandler] = Echo) -> Iterator[int]:
    with Server(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


def _configured(site: Site, port: int) -> dict[str, str]:
    """Write a configuration that is full of secrets; return the secrets by what they are of."""
    strangers: Ports = NOBODY | {
        "filler": {"endpoint": f"opc.tcp://127.0.0.1:{port}/"},
        "broker": {"broker": f"mqtt://127.0.0.1:{port}"},
        "erp": {"url": f"http://127.0.0.1:{port}/api/postings"},
    }
    site.configure(1, strangers)
    for name, canary in CANARIES.items():
        (site.root / f"{name}.secret").write_text(f"{canary}\n")
    authority = Authority(site.root, "plant-ca")
    ours = authority.issue("gateway", uri="urn:test:gateway")
    (site.root / "trust").mkdir()
    (site.root / "trust" / "ca.pem").write_bytes(authority.certificate.read_bytes())
    for path in sorted((site.config / "devices").glob("*.yaml")):
        with site.changed(f"devices/{path.name}") as data:
            _with_secrets(site.root, data, ours.certificate, ours.key)
    with site.changed("gateway.yaml") as data:
        data["sinks"][0]["token"] = {"file": str(site.root / "sink.secret")}
    key = ours.key.read_text().splitlines()
    return {**CANARIES, "private key": key[3], "pull token": site.folder.pull_token.read_text(), "API token": TOKEN}


def _with_secrets(root: Path, data: dict[str, Any], certificate: Path, key: Path) -> None:
    user = {"name": "backflush", "password": {"file": str(root / f"{data['kind']}.secret")}}
    if data["kind"] == "mqtt":
        data |= {"user": user, "allow_plaintext_password": True}
    if data["kind"] == "opcua":
        files = {"certificate": str(certificate), "private_key": str(key), "trust": str(root / "trust")}
        data.update(files, user=user, security_policy="Basic256Sha256")


def _asked(site: Site) -> str:
    """Return what the API says to good, bad and forged requests."""
    reversal = {"seq": 1, "reason": "WRONG-COUNT"}
    signed = {"user": "quality", "meaning": "reversal approved"}
    with httpx.Client(base_url=site.url, trust_env=False) as stranger:
        answers = [
            *(site.api.get(path) for path in ("/api/v1/status", "/api/v1/openapi.json", "/metrics", "/api/v1/x")),
            site.api.post("/api/v1/commands/reverse", content=f'{{"password": "{CANARIES["guessed"]}'),
            site.api.post("/api/v1/commands/reverse", json=reversal | {"password": CANARIES["guessed"]}),
            *(
                site.api.post(
                    "/api/v1/commands/reverse", json=reversal | {"signature": signed | {"password": CANARIES[one]}}
                )
                for one in ("guessed", "quality")
            ),
            site.api.get(f"/api/v1/postings?after={CANARIES['guessed']}"),
            stranger.get("/api/v1/status", headers={"Authorization": f"Bearer {CANARIES['guessed']}"}),
        ]
    assert {200, 401, 404, 409, 422} == {one.status_code for one in answers}
    # What a caller sent itself may come back to that caller, and to nobody else.
    return "".join(f"{one.headers} {one.text}" for one in answers).replace(CANARIES["guessed"], "")


def _commands(site: Site) -> str:
    config, root = site.config, site.root
    said = [
        site.command(*arguments)
        for arguments in (
            ("status", config),
            ("check", config),
            ("schema",),
            ("record", config, "--out", root / "events.jsonl"),
            ("backup", config, root / "backup.db"),
            ("verify", config),
            ("exceptions", config),
            ("refused", config),
            ("user", "list", config),
        )
    ]
    return "\n".join(output for _, output in said)


def _reloaded_with_a_mistake(site: Site, daemon: Process) -> None:
    with site.changed("gateway.yaml") as data:
        data["sinks"][0]["token"] = CANARIES["literal"]
        data["api"]["tokens"][0]["sha256"] = CANARIES["literal"]
    daemon.signal(signal.SIGHUP)
    until(lambda: "the new configuration is refused" in daemon.output, what=lambda: daemon.output)


@pytest.fixture
def full_of_secrets(site: Site) -> Iterator[tuple[Site, dict[str, str]]]:
    with echoing() as port:
        secrets = _configured(site, port)
        code, said = site.command(
            "user", "add", site.config, "quality", "--name", "Q", "--role", "quality", "--password-file",
            site.root / "quality.secret",
        )  # fmt: skip
        assert code == 0, said
        yield site, secrets


def test_no_secret_is_anywhere_else_than_where_it_belongs(full_of_secrets: tuple[Site, dict[str, str]]) -> None:
    site, secrets = full_of_secrets
    daemon = site.gateway(environment={"SECRET_OF_NOBODY": CANARIES["env"]})
    until(lambda: daemon.output.count("disconnected") >= 2, what=lambda: daemon.output)
    said = _asked(site) + _commands(site)
    _reloaded_with_a_mistake(site, daemon)
    _, refused = site.command("check", site.config)
    store = site.store.parent
    own = {path: path.read_text().splitlines() for path in store.iterdir() if path.suffix in {".token", ".key"}}
    secrets |= {path.name: lines[0] if len(lines) == 1 else lines[1] for path, lines in own.items()}
    daemon.signal(signal.SIGTERM)
    daemon.ended()
    handed_on = [path for path in store.rglob("*") if path.is_file() and path not in own]
    handed_on += [site.root / "events.jsonl", *site.root.glob("backup.db*")]
    everything = (said + refused + daemon.output).encode() + b"".join(path.read_bytes() for path in handed_on)

    assert [] == [name for name, secret in secrets.items() if secret.encode() in everything]
    assert b"disconnected" in everything  # it was looked at what was meant
    assert len(own) >= 1


def _told_by_the_parrot(site: Site) -> str:
    """Have a posting, though no machine runs, and wait until it was refused; return what the gateway logged."""
    with echoing(Parrot) as port:
        site.configure(1, NOBODY | {"erp": {"url": f"http://127.0.0.1:{port}/api/postings"}})
        site.folder.push_token.write_text(CANARIES["sink"])
        with site.changed("masterdata/boms.yaml") as data:
            next(one for one in data["boms"][0]["components"] if one["item"] == "GLUE")["method"] = "scan"
        daemon = site.gateway()
        code, said = site.command("issue", site.config, "100045", "0030", "GLUE", "H-88", "10", "g")
        assert code == 0, said
        until(lambda: "refused 1 postings" in daemon.output, what=lambda: daemon.output)
        answers = [site.api.get(path) for path in ("/api/v1/status", "/api/v1/rejections", "/metrics")]
        said = _commands(site)
        daemon.signal(signal.SIGTERM)
        daemon.ended()
    return "\n".join((daemon.output, said, *(f"{one.headers} {one.text}" for one in answers)))


def test_a_token_that_the_erp_says_back_is_nowhere_else_than_where_it_belongs(site: Site) -> None:
    said = _told_by_the_parrot(site)
    handed_on = [*site.store.parent.rglob("*"), site.root / "events.jsonl", *site.root.glob("backup.db*")]
    files = b"".join(one.read_bytes() for one in handed_on if one.is_file())

    assert CANARIES["sink"].encode() not in said.encode() + files
    assert b"you sent Bearer (token)" in files
    assert all(f"{how}you sent Bearer (token)" in said for how in ("answered 403 ", "unknown status '", "last seq 1: "))


async def test_no_secret_is_in_what_a_traceback_would_show(full_of_secrets: tuple[Site, dict[str, str]]) -> None:
    site, secrets = full_of_secrets
    config = load_config(site.config)
    made = [
        getattr(one, how)()
        for one in config.devices.values()
        for how in ("security", "connection")
        if hasattr(one, how)
    ]
    shown = f"{config!r} {made!r}"

    assert re.search(r"OpcUaSettings.*Security\(.*Broker\(", shown, re.DOTALL)
    assert [] == [name for name, secret in secrets.items() if secret in shown]
