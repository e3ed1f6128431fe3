"""Commits that fail, before they are on the disk or with nobody told that they are."""

import asyncio

from gateway.errors import StoreError
from tests.factories import make_staging


async def break_a_batch(shop, signal, quantity, number, *, too_late):
    """Break the commit of a message's batch; it is sent again."""
    shop.store.failing, shop.store.too_late = 1, too_late
    for _ in range(2):
        await shop.send(signal, quantity=quantity, id=number)
        await _turn(shop)
    shop.ledger.made[signal] += quantity


async def break_behind_a_staging(shop, item, quantity, number, *, too_late):
    """Break the first commit of what a staging releases; its own is on the disk."""
    shop.store.spared, shop.store.failing, shop.store.too_late = 1, 1, too_late
    uom = "kg" if item == "SYRUP" else "EA"
    staging = make_staging(number, str(quantity), item=item, lot=f"{item}-{number}", uom=uom)
    asked = asyncio.ensure_future(shop.pipeline.commands.stage(staging, "operator"))
    await asyncio.sleep(0)  # the command takes its place in the queue
    await _turn(shop)
    await asyncio.gather(asked, return_exceptions=True)
    shop.store.spared = shop.store.failing = 0
    shop.ledger.staged[staging.key] += quantity


async def _turn(shop):
    try:
        await shop.turn()
    except StoreError as error:
        shop.clock.advance(3)
        await shop.pipeline._recover(error)
