"""Fixtures of every driver test."""

import asyncio
import logging
from contextlib import asynccontextmanager

import pytest

from tests.contract.drivers.harness import Desk, make_driver
from tests.harness.certificates import Authority


@pytest.fixture
async def desk():
    desk = Desk()
    log = logging.getLogger("gateway.drivers")
    log.addHandler(desk)
    level = log.level
    log.setLevel(logging.INFO)
    yield desk
    log.setLevel(level)
    log.removeHandler(desk)


@pytest.fixture
def running(desk):
    @asynccontextmanager
    async def run(settings: dict, **more):
        driver = make_driver(settings, **more)
        task = asyncio.create_task(driver.run(desk))
        try:
            yield driver
        finally:
            task.cancel()
            await asyncio.wait([task])
            assert task.cancelled(), task.exception()

    return run


@pytest.fixture
def authority(tmp_path):
    return Authority(tmp_path, "plant-ca")


@pytest.fixture
def stranger(tmp_path):
    return Authority(tmp_path, "strange-ca")
