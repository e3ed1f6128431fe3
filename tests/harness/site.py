"""A line, its gateway and its central ERP in a folder: the example configuration, real processes, free ports."""

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from dataclasses import replace
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar

import httpx

from gateway.cli.demo_config import DemoFolder
from tests.harness.ports import free_port
from tests.harness.process import Process
from tests.harness.until import until

T = TypeVar("T")
Ports = dict[str, dict[str, str]]

TOKEN = "token of the test"
COUNTERS = 3  # signals with a checkpoint in the example
DEVICES = 4


class Site:
    """What one test builds up; everything it started is killed at the end."""

    def __init__(self, root: Path, stack: ExitStack) -> None:
        self.root = root
        self.folder = replace(DemoFolder.prepare(root), api_port=free_port())
        self.config = self.folder.config
        self.store = self.config / "var" / "gateway.db"
        self.url = f"http://127.0.0.1:{self.folder.api_port}"
        self.api = stack.enter_context(
            httpx.Client(
                base_url=self.url,
                headers={"Authorization": f"Bearer {TOKEN}"},
                trust_env=False,
                timeout=30,
                limits=httpx.Limits(keepalive_expiry=1),  # the gateway hangs up on an idle connection after 5 s
            )
        )
        self.environment: Mapping[str, str] = {}  # of everything that is started
        self._stack = stack

    def run(self, *arguments: object, name: str = "", environment: dict[str, str] | None = None) -> Process:
        """Start `python -m …`, its output in NAME.log."""
        log = self.root / f"{name or arguments[0]}.log"
        return self.keep(Process.python(arguments, log, {**self.environment, **(environment or {})}))

    def keep(self, started: AbstractContextManager[T]) -> T:
        """Have something ended at the end of the test."""
        return self._stack.enter_context(started)

    def command(self, *arguments: object, within: float = 60.0) -> tuple[int, str]:
        """Run a gateway command to its end; return exit code and output."""
        log = self.root / "command.log"
        log.unlink(missing_ok=True)
        with Process.python(("gateway", *arguments), log, {"COLUMNS": "200"}) as process:
            return process.ended(within=within), process.output

    # --- the machines ---------------------------------------------------------------------------

    def machines(self, *, speed: float, part: str = "line", options: tuple[object, ...] = ()) -> Process:
        """Start simulators and wait until they listen. `part` is one of `python -m simulators`."""
        before = len(list(self.root.glob(f"{part}*.log")))
        fixed = ("--dir", self.root) if part in {"erp", "line"} else ("--dir", self.root / part)
        process = self.run("simulators", part, *fixed, *self._options(part, speed), *options, name=f"{part}{before}")
        process.said("ready")
        return process

    def _options(self, part: str, speed: float) -> tuple[object, ...]:
        erp = ("--erp-token-file", self.folder.push_token)
        pull = ("--pull-url", self.url, "--pull-token-file", self.folder.pull_token)
        of = {"line": ("--speed", speed, *erp, *pull), "erp": (*erp, *pull)}
        return of.get(part, ("--speed", speed))

    def ports(self, part: str = "") -> Ports:
        """Return where the simulators listen."""
        found: Ports = json.loads((self.root / part / "ports.json").read_text("utf-8"))
        return found

    # --- the gateway ----------------------------------------------------------------------------

    def configure(self, speed: float, ports: Ports) -> None:
        """Write the example configuration for these machines, with a token for the test."""
        self.folder.write_config(ports, speed)
        with self.changed("gateway.yaml") as data:
            data["api"]["tokens"].append({"name": "test", "role": "admin", "sha256": _hash(TOKEN)})
            data["sinks"][0]["retry_at_most"] = "1s"
        with self.changed("triggers.yaml") as data:
            for rule in data["triggers"]:
                if "cumulate" in rule:
                    rule["cumulate"]["window"] = "1s"  # what is compared at the end has to be at the ERP
        for path in sorted((self.config / "devices").glob("*.yaml")):
            with self.changed(f"devices/{path.name}") as data:
                data["retry_at_most"] = "1s"  # a test has no minute to wait for a device that is back

    @contextmanager
    def changed(self, name: str) -> Iterator[dict[str, Any]]:
        """Change a configuration file: `with site.changed("gateway.yaml") as data: …`."""
        path = self.config / name
        data = json.loads(path.read_text("utf-8"))
        yield data
        path.write_text(json.dumps(data, indent=2, default=str), "utf-8")

    def gateway(self, *, environment: dict[str, str] | None = None) -> Process:
        """Start `gateway run` and wait until its intake runs."""
        process = self.run("gateway", "run", self.config, environment=environment)
        self.ready(process)
        return process

    def ready(self, process: Process) -> None:
        """Wait until the gateway answers that its intake runs; an ended process fails at once."""
        until(
            lambda: self.answers("/readyz") or not process.running,
            what=lambda: f"readiness: {process.output[-3000:]}",
        )
        assert process.running, process.output[-3000:]

    def answers(self, path: str) -> dict[str, Any] | None:
        """Return the JSON of a GET, None while nobody answers 200."""
        try:
            answer = self.api.get(path)
        except httpx.TransportError:
            return None
        body: dict[str, Any] | None = answer.json() if answer.is_success else None
        return body

    def status(self) -> dict[str, Any]:
        """Return what the gateway says of itself, {} while it is away."""
        return self.answers("/api/v1/status") or {}

    def connected(self) -> None:
        """Wait until every device is connected and every counter has its baseline on disk.

        What is made before that belongs to nobody, so a test lets the machines run only then.
        """
        until(self._all_connected, what=self.status)
        until(lambda: self.rows("SELECT count(*) FROM checkpoint") == [(COUNTERS,)], what="baselines")

    def _all_connected(self) -> bool:
        links = [one["link"] for one in self.status().get("devices", {}).values()]
        return links == ["connected"] * DEVICES

    def counted(self, device: str, signal: str, at_least: Decimal | int, *, within: float = 60.0) -> None:
        """Wait until that many units are committed."""
        until(lambda: self.tally("counted").get((device, signal), 0) >= at_least, within=within, what=self.status)

    def tally(self, column: str) -> dict[tuple[str, str], Decimal]:
        """Return counted, posted, scrapped or held of every signal, as the gateway says."""
        every = self.status().get("signals", [])
        return {(one["device"], one["signal"]): Decimal(one[column]) for one in every}

    def exceptions(self) -> list[dict[str, Any]]:
        """Return the open work list, once the gateway says it: one that doesn't answer has no empty list."""
        found: list[dict[str, Any]] = until(lambda: self.answers("/api/v1/exceptions"), what="work list")["exceptions"]
        return found

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Ask the store's file."""
        with closing(sqlite3.connect(f"file:{self.store}?mode=ro", uri=True)) as database:
            return database.execute(query).fetchall()


@contextmanager
def endless_reader(site: Site) -> Iterator[None]:
    """Read the store for as long as the block lasts: what is committed meanwhile stays in its log."""
    with closing(sqlite3.connect(f"file:{site.store}?mode=ro", uri=True)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM meta").fetchall()
        yield


@contextmanager
def open_site(root: Path) -> Iterator[Site]:
    """Make a site in an empty folder."""
    with ExitStack() as stack:
        yield Site(root, stack)


def running_line(site: Site, *, speed: float, options: tuple[object, ...] = (), beside: Ports | None = None) -> Process:
    """Start the line with its filler at rest, and configure the gateway for it and for what runs `beside`."""
    line = site.machines(speed=speed, options=options)
    line.type("FILLER-1 pause")
    site.configure(speed, site.ports() | (beside or {}))
    return line


def run_empty(line: Process) -> None:
    """Stop the filler; wait until the line ran empty and the broker has everything: nothing is made after that."""
    before = len(line.lines("stopped"))
    line.type("stop")
    line.said("stopped", times=before + 1, within=300)


def _hash(token: str) -> str:
    return sha256(token.encode()).hexdigest()
