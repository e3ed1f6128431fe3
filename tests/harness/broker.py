"""Mosquitto on a port of its own."""

import signal
import socket

from tests.harness.ports import free_port
from tests.harness.process import Process
from tests.harness.required import required
from tests.harness.site import Site
from tests.harness.until import until

# Its defaults drop QoS 1 messages for a slow acknowledger, and write queued ones to disk every half hour. Started
# by root it becomes a user who can't write to a test's folder; started by anybody else it ignores `user`.
_SETTINGS = """
listener {port} 127.0.0.1
allow_anonymous true
max_queued_messages 0
max_inflight_messages 0
user root
"""
_PERSISTENCE = """
persistence true
persistence_location {folder}/
autosave_on_changes true
autosave_interval 1
"""


class Mosquitto:
    """May be stopped, killed and started again on the same port."""

    def __init__(self, site: Site, *, persistent: bool = True) -> None:
        self._site = site
        self._program = required("mosquitto")
        self._folder = site.root / "mosquitto"
        self._folder.mkdir()
        self.port = free_port()
        settings = _SETTINGS + (_PERSISTENCE if persistent else "persistence false\n")
        (self._folder / "mosquitto.conf").write_text(settings.format(port=self.port, folder=self._folder), "utf-8")
        self.start()

    @property
    def url(self) -> str:
        return f"mqtt://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Return when it takes connections."""
        log = self._folder / "mosquitto.log"
        arguments = (self._program, "-c", self._folder / "mosquitto.conf")
        self._process = self._site.keep(Process(arguments, log))
        until(lambda: self._listens() or not self._process.running, what=lambda: log.read_text("utf-8"))
        assert self._process.running, self._process.output[-2000:]

    def stop(self) -> None:
        """End it as a service manager does: it writes what it holds."""
        self._process.signal(signal.SIGTERM)
        self._process.ended()
        assert "Error" not in self._process.output, self._process.output[-2000:]

    def kill(self) -> None:
        self._process.kill()

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0
