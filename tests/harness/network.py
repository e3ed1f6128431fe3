"""A network of a test's own: a namespace whose loopback can lose packets, swallow them or become slow.

The namespace belongs to the calling thread, to what it spawns, and to what is forked with its `environment`.
"""

import ctypes
import os
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from multiprocessing import forkserver
from pathlib import Path

from tests.harness.required import missing, required

NAMESPACE = "TEST_NETWORK_NAMESPACE"
_NEW_NETWORK = 0x40000000  # CLONE_NEWNET
_TABLE = """
table inet test {{
    chain {chain} {{
        type filter hook {chain} priority 0;
        {rules}
    }}
}}
"""


def enter(namespace: Path) -> None:
    """Let the calling thread work in that namespace."""
    with namespace.open("rb") as opened:
        if ctypes.CDLL(None, use_errno=True).setns(opened.fileno(), _NEW_NETWORK):
            raise OSError(ctypes.get_errno(), "setns")


class Network:
    """The rules in force; each replaces those before."""

    def __init__(self, namespace: Path) -> None:
        self._nft, self._ip, self._tc = required("nft"), required("ip"), required("tc")
        self.environment: Mapping[str, str] = {NAMESPACE: str(namespace)}
        self.up()

    def swallow(self, *ports: int) -> None:
        """Lose every packet to and from these ports: nobody is told, connections just hang."""
        self._filter(*(f"tcp {way} {port} drop;" for port in ports for way in ("dport", "sport")))

    def lose(self, percent: int) -> None:
        """Lose that share of all packets."""
        self._filter(f"numgen random mod 100 < {percent} drop;")

    def slow(self, rate: str) -> None:
        """Let so many bits a second pass, as `256kbit`."""
        _run(self._tc, "qdisc", "replace", "dev", "lo", "root", "tbf", "rate", rate, "burst", "16kb", "latency", "2s")

    def down(self) -> None:
        """Pull the cable."""
        _run(self._ip, "link", "set", "lo", "down")

    def up(self) -> None:
        """Plug it in."""
        _run(self._ip, "link", "set", "lo", "up")

    def heal(self) -> None:
        """Take every rule back."""
        self.up()
        self._filter()
        subprocess.run([self._tc, "qdisc", "del", "dev", "lo", "root"], check=False, capture_output=True)

    def _filter(self, *rules: str) -> None:
        table = _TABLE.format(chain="input", rules=" ".join(rules))
        text = f"table inet test {{}}\ndelete table inet test\n{table}"
        subprocess.run([self._nft, "-f", "-"], input=text, text=True, check=True, capture_output=True)


@contextmanager
def own_network(name: str) -> Iterator[Network]:
    """Work in a new namespace until the end of the block."""
    forkserver.ensure_running()  # outside: what it forks for later tests is not to live in here
    ip = required("ip")
    home = os.open(f"/proc/self/task/{threading.get_native_id()}/ns/net", os.O_RDONLY)
    if subprocess.run([ip, "netns", "add", name], check=False, capture_output=True).returncode:
        os.close(home)
        missing("a network namespace can't be made: that takes root")
    try:
        path = Path("/run/netns") / name
        enter(path)
        yield Network(path)
    finally:
        ctypes.CDLL(None).setns(home, _NEW_NETWORK)
        os.close(home)
        _run(ip, "netns", "del", name)


def _run(*arguments: str) -> None:
    subprocess.run(arguments, check=True, capture_output=True)
