"""The server inside the daemon."""

import asyncio
import signal
import socket
from dataclasses import replace

import pytest

from gateway.api import server
from gateway.api.server import ApiServer
from gateway.errors import TransientError
from gateway.settings.api import ApiSettings
from tests.integration.api.conftest import Site, start_site
from tests.integration.api.writer import Writer


async def test_it_leaves_the_signal_handlers_to_the_daemon(site: Site) -> None:
    before = signal.getsignal(signal.SIGTERM)
    await site.client(None).get("/healthz")

    assert signal.getsignal(signal.SIGTERM) is before


async def test_it_stops_with_an_idle_connection_open(writer: Writer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "_GRACE", 600)  # nothing that would have to be waited for
    site = await start_site(writer)
    async with site.client(None) as client:
        await client.get("/healthz")

        async with asyncio.timeout(60):
            await site.stop()

    assert site.task.cancelled()


async def test_it_can_be_run_again(site: Site) -> None:
    await site.stop()
    site.task = asyncio.create_task(site.server.run())
    await site.server.listening.wait()

    answer = await site.client(None).get("/healthz")

    assert answer.status_code == 200


async def test_an_address_in_use_is_an_error_that_can_be_tried_again(site: Site) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        settings = ApiSettings(listen=f"127.0.0.1:{other.getsockname()[1]}")

        with pytest.raises(TransientError, match=r"api\.listen 127\.0\.0\.1:\d+: Address already in use"):
            await ApiServer(settings, site.server._services).run()


async def test_an_error_inside_answers_500_and_the_server_goes_on(site: Site) -> None:
    report, site.report = site.report, replace(site.report, devices=None)  # type: ignore[arg-type]
    broken = await site.client(None).get("/healthz")
    site.report = report

    answer = await site.client(None).get("/healthz")

    assert (broken.status_code, answer.status_code) == (500, 200)
