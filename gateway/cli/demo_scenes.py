"""What a plant meets and the demo plays: a shortage that clears when a lot is staged, and a signed reversal.

Both go through the running gateway's API, with a person's password, as they would at the line.
"""

import asyncio
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from gateway.api.passwords import hashed
from gateway.cli.daemon import send
from gateway.cli.demo_config import DemoFolder
from gateway.domain.command import CloseWindow, Reverse, Stage
from gateway.domain.exception import ExceptionKind
from gateway.errors import GatewayError
from gateway.runtime.gateway import Gateway
from gateway.settings.users import Person, write_users

_SEEN_FOR = 3.0  # seconds that the shortage stands on the work list before somebody brings the lot
_CASES = 30  # postings of cases before one of them is found to be wrong
_LOOKED_AT = 50  # newest postings
_WHO = "demo-quality"


@dataclass(slots=True)
class Scenes:
    """Plays each scene once, when its time has come; `said` is what happened, for the table and the last page."""

    gateway: Gateway
    folder: DemoFolder
    said: list[str] = field(default_factory=list)
    _password: str = field(default_factory=lambda: secrets.token_urlsafe(16))
    _short_since: float | None = None
    _staged: bool = False
    _reversed: bool = False

    def __post_init__(self) -> None:
        config = self.gateway.config
        person = Person(user=_WHO, name="Q. Demo", roles=("quality",), password=hashed(self._password))
        write_users(config.gateway.api.users_file(config.root), [person])

    async def play(self, seconds: float) -> None:
        """Do what is due after so many seconds of the demo."""
        if not self._staged and await self._short_long_enough(seconds):
            await self._stage()
        elif self._staged and not self._reversed and self.gateway.pipeline.writer.state.head.seq >= _CASES:
            await self._reverse()

    async def finish(self) -> None:
        """Play what had no time, so that each demo shows everything and nothing stays blocked."""
        if not self._staged:
            await self._stage()
        if not self._reversed:
            await self._reverse()

    async def close_windows(self) -> None:
        """Close the open documents now, instead of when they are due: the demo ends with everything at the ERP."""
        for document in list(self.gateway.pipeline.writer.state.documents):
            await self._ask(CloseWindow, {"document": document})

    async def _short_long_enough(self, seconds: float) -> bool:
        short = [
            one
            for one in self.gateway.pipeline.writer.state.exceptions.values()
            if one.kind is ExceptionKind.TRIGGER and one.code in {"shortage", "not-staged"}
        ]
        if short and self._short_since is None:
            self._short_since = seconds
            self.said.append(f"{seconds:.0f} s  blocked: {short[0].reason}")
        return self._short_since is not None and seconds - self._short_since >= _SEEN_FOR

    async def _stage(self) -> None:
        self._staged = True
        for one in json.loads(self.folder.kept_back.read_text("utf-8")):
            await self._ask(Stage, {"staging": _staging(one)})
            what = f"{one['quantity']} {one['uom']} of {one['item']}, lot {one['lot']}"
            self.said.append(f"staged {what}: what waited for it posts by itself")

    async def _reverse(self) -> None:
        seq = await self._newest_case()
        if seq is None:
            return
        self._reversed = True
        signature = {"user": _WHO, "password": self._password, "meaning": "reversal approved"}
        if await self._ask(Reverse, {"seq": seq, "reason": "R01"}, signature):
            self.said.append(f"reversed posting {seq}, signed by {_WHO}: its lots have their stock back")

    async def _newest_case(self) -> int | None:
        last = self.gateway.pipeline.writer.state.head.seq
        page = await self.gateway.log.page(max(0, last - _LOOKED_AT), last, _LOOKED_AT)
        bodies = [orjson.loads(one.body) for one in page.documents]
        cases = [one["seq"] for one in bodies if one["handling_unit"] and one["reverses"] is None]
        return max(cases, default=None)

    async def _ask(self, command: type, body: Mapping[str, Any], signature: Mapping[str, str] | None = None) -> bool:
        try:
            await asyncio.to_thread(send, self.folder.config, command, body, signature)
        except GatewayError as error:
            self.said.append(f"refused: {error}")
            return False
        return True


def _staging(one: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row of the stagings file as the API wants it."""
    return {
        "staging": one["staging"],
        "key": {
            "owner": {"kind": "line", "name": one["line"]},
            "item": one["item"],
            "lot": one["lot"],
            "location": one["location"],
        },
        "quantity": str(one["quantity"]),
        "uom": one["uom"],
    }
