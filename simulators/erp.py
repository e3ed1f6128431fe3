"""The central ERP: receives postings over HTTP, books each once, and can pull them as well."""

import asyncio
import gzip
import json
import secrets
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import uvicorn
from fastapi import FastAPI, HTTPException, Request

from simulators.books import BOOKED, LATER, Books, Verdict
from simulators.link import LOOPBACK, Link, bound_socket
from simulators.puller import Puller, PullSettings
from simulators.until import until


@dataclass(slots=True)
class ErpFaults:
    """Misbehaviour on request; may be changed while the ERP runs."""

    fail_rate: float = 0.0  # share of requests answered 503, half of them after booking
    later_every: int = 0  # each Nth seq is put off the first time
    reject_every: int = 0  # each Nth seq is rejected for good
    delay: float = 0.0  # seconds before each answer


@dataclass(frozen=True, slots=True)
class ErpSettings:
    """How the ERP starts. Without a token file it takes postings from anybody: it listens on loopback only."""

    port: int = 0
    token_file: Path | None = None
    pull: PullSettings | None = None
    faults: ErpFaults = field(default_factory=ErpFaults)
    seed: int = 1


def token_from(path: Path) -> str:
    """The bearer token in `path`, made up first if there is no such file."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(32), "utf-8")
    return path.read_text("utf-8").strip()


class EmbeddedServer(uvicorn.Server):
    """uvicorn as a guest in this process, which handles the signals itself."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals alone."""
        yield


class Erp:
    """The ERP's books, their web server and, if configured, the puller."""

    device = "ERP"

    def __init__(self, database: Path, settings: ErpSettings) -> None:
        self.faults = settings.faults
        self.link = Link(settings.port)
        self._token = token_from(settings.token_file) if settings.token_file else None
        self._random = Random(f"{settings.seed}-erp")
        self._put_off: set[tuple[str, str, int]] = set()
        self._books = Books(database)
        self._puller = Puller(self._books, settings.pull) if settings.pull else None

    @property
    def url(self) -> str:
        """Where postings are pushed to."""
        return f"http://{LOOPBACK}:{self.link.port}/api/postings"

    async def start(self) -> None:
        """Listen, and begin to pull."""
        listening = bound_socket()
        config = uvicorn.Config(self._app(), log_config=None, access_log=False, lifespan="off", ws="none", loop="none")
        self._server = EmbeddedServer(config)
        self._serving = asyncio.ensure_future(self._server.serve(sockets=[listening]))
        await until(lambda: self._server.started)
        await self.link.open((LOOPBACK, listening.getsockname()[1]))
        if self._puller:
            self._puller.start()

    async def stop(self) -> None:
        """Stop pulling and listening, and close the books."""
        if self._puller:
            await self._puller.stop()
        await self.link.close()
        self._server.should_exit = True
        await self._serving
        self._books.close()

    async def pause(self) -> None:
        """Be away: refuse connections on the port, and stop pulling."""
        await self.link.cut()
        if self._puller:
            await self._puller.stop()

    async def resume(self) -> None:
        """Come back on the same port."""
        await self.link.open()
        if self._puller:
            self._puller.start()

    def _app(self) -> FastAPI:
        app = FastAPI(title="Simulated central ERP", docs_url=None, redoc_url=None)
        app.post("/api/postings")(self._receive)
        return app

    async def _receive(self, request: Request) -> dict[str, Any]:
        shown = request.headers.get("authorization", "")
        if self._token is not None and not secrets.compare_digest(shown, f"Bearer {self._token}"):
            raise HTTPException(401, "a bearer token is needed", {"WWW-Authenticate": "Bearer"})
        batch = _parsed(await request.body(), request.headers.get("content-encoding", ""))
        await asyncio.sleep(self.faults.delay)
        fails = self._random.random() < self.faults.fail_rate
        if fails and self._random.random() < 0.5:  # noqa: PLR2004 an even chance: before or after booking
            raise HTTPException(503, "out of order, nothing booked")
        verdicts = self._books.book(batch["gateway"], batch["store"], batch["items"], "push", self._judge)
        if fails:
            raise HTTPException(503, "out of order, the answer is lost")
        return {"results": [_result(item, verdict) for item, verdict in zip(batch["items"], verdicts, strict=True)]}

    def _judge(self, key: tuple[str, str, int]) -> Verdict:
        seq, faults = key[2], self.faults
        if faults.reject_every and seq % faults.reject_every == 0:
            return Verdict("rejected", f"simulated: each {faults.reject_every}. posting is rejected")
        if faults.later_every and seq % faults.later_every == 0 and key not in self._put_off:
            self._put_off.add(key)
            return LATER
        return BOOKED


def _result(item: dict[str, Any], verdict: Verdict) -> dict[str, Any]:
    return {"seq": item["seq"], "status": verdict.status, "reason": verdict.reason}


def _parsed(body: bytes, encoding: str) -> dict[str, Any]:
    try:
        batch = json.loads(gzip.decompress(body) if encoding == "gzip" else body)
        well_formed = isinstance(batch["gateway"], str) and isinstance(batch["store"], str)
        well_formed &= all(isinstance(item["seq"], int) and isinstance(item["hash"], str) for item in batch["items"])
    except (ValueError, KeyError, TypeError, OSError, EOFError, zlib.error) as error:
        raise HTTPException(422, f"not a batch of postings: {error!r}") from error
    if not well_formed:
        raise HTTPException(422, "gateway, store and hash are strings, seq is an integer")
    return dict(batch)
