"""Mosquitto on a port of its own."""

import signal
import socket
from pathlib import Path

from tests.harness.process import Process
from tests.harness.required import required
from tests.harness.until import until

# Its defaults drop QoS 1 messages for a slow acknowledger, and write queued ones to disk every half hour.
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

    def __init__(self, folder: Path, *, persistent: bool = True) -> None:
        program = required("mosquitto")
        folder.mkdir()
        self.port = _free_port()
        self._log = folder / "mosquitto.log"
        settings = _SETTINGS + (_PERSISTENCE if persistent else "persistence false\n")
        path = folder / "mosquitto.conf"
        path.write_text(settings.format(port=self.port, folder=folder), "utf-8")
        self._arguments = [program, "-c", path]
        self._process: Process | None = None

    @property
    def url(self) -> str:
        return f"mqtt://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Return when it takes connections."""
        self._process = Process(self._arguments, self._log)
        until(self._listens, what=lambda: self._log.read_text("utf-8"))

    def stop(self) -> None:
        """End it as a service manager does: it writes what it holds."""
        if self._process:
            self._process.signal(signal.SIGTERM)
            self._process.ended()
            self._process.kill()

    def kill(self) -> None:
        if self._process:
            self._process.kill()

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port
