"""Ports for servers that can't choose one themselves."""

import random
import socket

_OURS = range(15_000, 32_000)  # below those that the system gives to connections, which take a free one any moment
_TRIES = 100


def free_port() -> int:
    """Return a port that nobody listens on at this moment."""
    for port in random.SystemRandom().sample(_OURS, _TRIES):
        try:
            socket.create_server(("127.0.0.1", port)).close()
        except OSError:
            continue
        return port
    raise AssertionError(f"none of {_TRIES} ports is free")


NOBODY = {  # addresses of the example's other devices, where a test needs only one
    "filler": {"endpoint": "opc.tcp://127.0.0.1:1/"},
    "capper": {"controller": "tcp://127.0.0.1:1"},
    "broker": {"broker": "mqtt://127.0.0.1:1"},
    "erp": {"url": "http://127.0.0.1:1/api/postings"},
}
