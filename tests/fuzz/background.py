"""The whole gateway in a thread of the test's process: its API over a real socket, its log where a test can look."""

import asyncio
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import get_args

from argon2 import PasswordHasher

from gateway.runtime.clock import SystemClock
from gateway.settings.api import Role
from gateway.settings.users import Person, write_users
from tests.harness.inside import serving
from tests.harness.ports import NOBODY
from tests.harness.site import Site
from tests.harness.until import until

PASSWORD = "correct horse"
SIGNATURE = {"user": "anna", "password": PASSWORD, "meaning": "approved"}
_QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


@dataclass
class Heard(logging.Handler):
    """Keeps what was logged of exceptions, and every error."""

    said: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(logging.WARNING)

    def __hash__(self) -> int:
        return id(self)

    def emit(self, record: logging.LogRecord) -> None:
        if record.exc_info or record.levelno >= logging.ERROR:
            self.said.append(self.format(record))


@contextmanager
def in_the_background(site: Site) -> Iterator[Heard]:
    """Serve the example configuration, its machines out of reach; at the end the gateway is drained."""
    site.configure(1, NOBODY)
    password = _QUICK.hash(PASSWORD)
    write_users(
        site.config / "users.yaml", [Person(user="anna", name="Anna Huber", roles=get_args(Role), password=password)]
    )
    heard, ready = Heard(), threading.Event()
    loop, end, failed = asyncio.new_event_loop(), asyncio.Event(), []

    async def serve() -> None:
        async with serving(site.config, SystemClock()):
            ready.set()
            await end.wait()

    def run() -> None:
        try:
            loop.run_until_complete(serve())
        except BaseException as error:  # noqa: BLE001 - raised again where the test is
            failed.append(error)
        finally:
            ready.set()
            loop.close()

    thread = threading.Thread(target=run)
    logging.getLogger().addHandler(heard)
    thread.start()
    try:
        ready.wait(120)
        until(lambda: failed or site.answers("/readyz"), what="readiness")
        yield heard
    finally:
        if not failed:
            loop.call_soon_threadsafe(end.set)
        thread.join(120)
        logging.getLogger().removeHandler(heard)
    assert [] == failed
