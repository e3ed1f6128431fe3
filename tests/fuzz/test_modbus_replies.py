"""Modbus answers that are none: no value is taken from them, and the driver goes on as soon as the unit does.

Longer: `HYPOTHESIS_PROFILE=nightly .venv/bin/pytest -n0 tests/fuzz/test_modbus_replies.py` (see budget.py).
"""

import asyncio
import logging
import random

import pytest

from gateway.domain.health import Link
from tests.contract.drivers.harness import Desk, make_driver
from tests.contract.drivers.servers import COUNTER
from tests.fuzz.budget import NIGHTLY, PATIENCE, times
from tests.fuzz.modbus_liar import HONEST, LIES, Answer, Liar

pytestmark = pytest.mark.timeout(PATIENCE)

SIGNALS = {
    "good": {"register": "holding", "address": 0, "type": "uint32", "byte_order": "CDAB", "counter": COUNTER},
    "boot": {"register": "holding", "address": 2},
}
QUICK = {"timeout": "100ms", "poll_interval": "1ms", "retry_after": "1ms", "retry_at_most": "5ms"}


async def hear(answers: list[Answer], seed: int = 0) -> Desk:
    """Return what the driver offered, until it was told nothing but the truth for a while."""
    desk, uncaught = Desk(), []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: uncaught.append(context))
    logging.getLogger("gateway.drivers").addHandler(desk)
    try:
        async with Liar(answers, random.Random(seed)) as liar:
            settings = {"kind": "modbus", "controller": f"tcp://127.0.0.1:{liar.port}", "signals": SIGNALS}
            driver = make_driver(settings, **QUICK)
            task = asyncio.create_task(driver.run(desk))
            await desk.until(lambda: task.done() or (liar.honest and driver.health.link is Link.CONNECTED))
            await desk.until(lambda: task.done() or desk.values("good")[-1:] == [HONEST])
            task.cancel()
            await asyncio.wait([task])

            assert task.cancelled(), task.exception()
            assert len(answers) == liar.told
    finally:
        logging.getLogger("gateway.drivers").removeHandler(desk)

    assert [] == uncaught
    return desk


@pytest.mark.parametrize("lie", LIES)
async def test_no_value_is_taken_from_an_answer_that_is_none(lie):
    desk = await hear([LIES[lie]] * 3)

    assert {HONEST} == set(desk.values("good")) - {None}
    assert {1} == set(desk.values("boot")) - {None}


async def test_a_unit_that_answers_anything_is_read_again_as_soon_as_it_makes_sense():
    seed = random.randrange(2**32) if NIGHTLY else 4711
    chance = random.Random(seed)
    desk = await hear([chance.choice(list(LIES.values())) for _ in range(times(60))], seed)

    assert {HONEST} == set(desk.values("good")) - {None}, f"seed {seed}"
