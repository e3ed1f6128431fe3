"""systemd's notification socket: ready, alive, stopping. Silent where systemd did not start us."""

import asyncio
import os
import socket


def notify(state: str) -> None:
    """Send one state, e.g. `READY=1`, to $NOTIFY_SOCKET (sd_notify(3))."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    if address.startswith("@"):
        address = "\0" + address[1:]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
        channel.connect(address)
        channel.send(state.encode())


async def watchdog() -> None:
    """Tell systemd twice per WATCHDOG_USEC that the loop turns; ends at once where nobody watches."""
    period = int(os.environ.get("WATCHDOG_USEC", "0")) / 2_000_000
    while period > 0:
        notify("WATCHDOG=1")
        await asyncio.sleep(period)
