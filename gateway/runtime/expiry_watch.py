"""Looks at certificates and revocation lists; tells in the work list before one ends, until there is another."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from gateway.domain.clock import to_the_second
from gateway.pipeline.pipeline import Pipeline
from gateway.ports import Clock
from gateway.runtime.alarms import Alarms, tell, told
from gateway.settings.base import Settings
from gateway.settings.load import Config
from gateway.transport.validity import Life, lives

_PERIOD = 10.0  # seconds
EXPIRES, EXPIRED = "expires-soon", "expired"
_CODES = frozenset({EXPIRES, EXPIRED})
# Settings of devices and sinks, and of their `tls`, that name certificates or lists: files, or folders of OPC UA.
_NAMED = ("certificate", "ca", "crl", "server_certificate", "trust", "revoked")
Lives = dict[str, tuple[Life, ...]]  # by part and setting


@dataclass(frozen=True, slots=True)
class ExpiryWatch:
    """Runs beside the pipeline. `api` has what the API goes by: what it read last, which the files may differ from."""

    config: Callable[[], Config]
    api: Callable[[], Mapping[str, tuple[Life, ...]]]
    pipeline: Pipeline
    clock: Clock
    _logged: Alarms = field(default_factory=dict)

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(_PERIOD)

    async def look(self) -> None:
        """Read until when everything is good, and raise and clear what follows."""
        watched = await asyncio.to_thread(_watched, self.config())
        watched |= {f"api tls.{setting}": found for setting, found in self.api().items()}
        found = _troubles(watched, self.clock.now().wall)
        before = told(self.pipeline, _CODES)
        await tell(self.pipeline, found, before, self._logged, lambda _: "it ends later now, or isn't used any more")


def _troubles(watched: Lives, now: datetime) -> Alarms:
    found: Alarms = {}
    for about, every in watched.items():
        life = min(every, key=lambda one: one.end)
        end = to_the_second(life.end)
        renew = "renew the file, and send SIGHUP" if about.startswith("api ") else "renew the file"
        if life.end < now:
            found[about, EXPIRED] = f"{about}: {life.what} expired {end}, and who relies on it is out; {renew}"
        elif life.warned < now:
            found[about, EXPIRES] = f"{about}: {life.what} ends {end}, and who relies on it is out then; {renew}"
    return found


def _watched(config: Config) -> Lives:
    found = {f"{part} {setting}": lives(path) for part, setting, path in _paths(config)}
    return {about: every for about, every in found.items() if every}


def _paths(config: Config) -> Iterator[tuple[str, str, Path]]:
    parts: dict[str, Settings] = {f"sink {one.sink}": one for one in config.gateway.sinks}
    parts |= {f"device {name}": one for name, one in config.devices.items()}
    for part, settings in parts.items():
        for prefix, holder in (("", settings), ("tls.", getattr(settings, "tls", None))):
            for name in _NAMED:
                path = getattr(holder, name, None)
                if isinstance(path, Path):
                    yield part, f"{prefix}{name}", path
