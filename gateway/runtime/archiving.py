"""Has an archive written, in a process of its own: reading all of a store back must not slow the counting."""

import asyncio
import sys
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from gateway.domain.command import ClearAlarm, RaiseAlarm
from gateway.domain.signature import Author
from gateway.errors import StoreError, TransientError
from gateway.ports import Commands
from gateway.store import archive
from gateway.store.reading import read
from gateway.store.signing import SigningKey

FAILED = "archive"
_GATEWAY = Author("gateway")


@dataclass(frozen=True, slots=True)
class Archiving:
    """Retention asks it how far it may delete. `config` is the folder with gateway.yaml, `key` what signs archives.

    A `key` of None is the one beside the store.
    """

    config: Path
    folder: Path
    commands: Commands
    key: SigningKey | None = None

    async def through(self, store: Path, limit: datetime) -> int:
        """Return the seq up to which what was posted before `limit` is in a sound archive; made where it's worth it.

        StoreError where it couldn't be made, which an alarm says until it can.
        """
        try:
            found = await asyncio.to_thread(self._through, store, limit)
            if found is None:
                await self._write()
                found = await asyncio.to_thread(self._through, store, limit)
        except StoreError as error:
            reason = f"nothing is deleted, because what goes can't be archived: {error}"
            await self._tell(RaiseAlarm(FAILED, reason))
            raise
        await self._tell(ClearAlarm(FAILED, "it could be archived"))
        return found or 0

    async def _tell(self, alarm: RaiseAlarm | ClearAlarm) -> None:
        with suppress(TransientError, StoreError):  # said again the next time
            await self.commands.execute(alarm, _GATEWAY)

    def _through(self, store: Path, limit: datetime) -> int | None:
        """Return how far an archive goes, 0 where none is due, None where one has to be made."""
        due = read(store, lambda raw: archive.due(raw, limit))
        if due is None:
            return 0
        return archive.covered(store, self.folder, due.first, self.key) or (
            None if archive.is_worth_it(due, limit) else 0
        )

    async def _write(self) -> None:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "gateway", "archive", str(self.config)),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        try:
            said, _ = await process.communicate()
        except BaseException:
            process.kill()
            await process.wait()
            raise
        if process.returncode:
            raise StoreError(said.decode(errors="replace").strip() or f"it ended with {process.returncode}")
