"""A cable that is cut leaves no end of it open."""

import asyncio
from unittest.mock import Mock

from simulators.link import Link


async def test_a_connection_that_comes_as_the_cable_is_cut_is_closed_too():
    link, writer = Link(), Mock()
    relaying = asyncio.ensure_future(link._relay(Mock(), writer))
    await asyncio.sleep(0)  # it has been taken, and nothing was done for it yet
    await link.close()
    await relaying

    writer.close.assert_called_once_with()
