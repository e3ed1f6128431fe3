"""Ports for servers that can't choose one themselves."""

import socket


def free_port() -> int:
    """Return a port that nobody listens on at this moment."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


NOBODY = {  # addresses of the example's other devices, where a test needs only one
    "filler": {"endpoint": "opc.tcp://127.0.0.1:1/"},
    "capper": {"controller": "tcp://127.0.0.1:1"},
    "broker": {"broker": "mqtt://127.0.0.1:1"},
    "erp": {"url": "http://127.0.0.1:1/api/postings"},
}
