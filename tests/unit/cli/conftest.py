"""The command line against a gateway that only writes down what it was asked."""

import json
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from gateway.cli.app import main
from gateway.runtime.local_token import local_token_path

EXAMPLE = Path(__file__).parents[3] / "config"


@dataclass
class Daemon:
    """What was asked, and what it answers."""

    config: Path
    port: int
    status: int = 200
    answer: Any = field(default_factory=lambda: {"result": True})
    asked: list[tuple[str, Any]] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)
    exceptions: list[Any] = field(default_factory=list)

    @property
    def body(self) -> Any:
        """What the only request said."""
        ((_, body),) = self.asked
        return body

    def is_away(self) -> None:
        """Be as one that was never started."""
        local_token_path(self.config / "var" / "gateway.db").unlink()


@dataclass(frozen=True)
class Outcome:
    code: int
    output: str
    error: str


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            daemon.asked.append((self.path, body))
            daemon.tokens.append(self.headers["Authorization"])
            self._reply(daemon.status, daemon.answer)

        def do_GET(self) -> None:
            self._reply(200, {"exceptions": daemon.exceptions})

        def _reply(self, status: int, answer: Any) -> None:
            content = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    config = tmp_path / "config"
    shutil.copytree(EXAMPLE, config)
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        daemon = Daemon(config, server.server_port)
        gateway = config / "gateway.yaml"
        gateway.write_text(gateway.read_text("utf-8").replace("127.0.0.1:8080", f"127.0.0.1:{daemon.port}"), "utf-8")
        token = local_token_path(config / "var" / "gateway.db")
        token.parent.mkdir()
        token.write_text("local secret", "utf-8")
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield daemon
        server.shutdown()
        thread.join()


@pytest.fixture
def gateway(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Outcome]:
    """Run the command line to its end, as the shell would."""

    def run(*arguments: object) -> Outcome:
        monkeypatch.setattr(sys, "argv", ["gateway", *map(str, arguments)])
        with pytest.raises(SystemExit) as end:
            main()
        output = capsys.readouterr()
        return Outcome(int(end.value.code or 0), output.out, output.err)

    return run
