"""Ports for servers that can't choose one themselves."""

import os
import random
import socket

_OURS = range(15_000, 32_000)  # below those that the system gives to connections, which take a free one any moment
_TRIES = 100
_WORKERS = 16  # of pytest-xdist, each with ports of its own: one that is free is bound only some time later
_given: set[int] = set()  # nor is one given twice


def free_port() -> int:
    """Return a port that nobody listens on at this moment."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % _WORKERS
    for port in random.SystemRandom().sample(_OURS[worker::_WORKERS], _TRIES):
        if port in _given:
            continue
        try:
            socket.create_server(("127.0.0.1", port)).close()
        except OSError:
            continue
        _given.add(port)
        return port
    raise AssertionError(f"none of {_TRIES} ports is free")


NOBODY = {  # addresses of the example's other devices, where a test needs only one
    "filler": {"endpoint": "opc.tcp://127.0.0.1:1/"},
    "capper": {"controller": "tcp://127.0.0.1:1"},
    "broker": {"broker": "mqtt://127.0.0.1:1"},
    "erp": {"url": "http://127.0.0.1:1/api/postings"},
}
