"""What the routes work with: reads of the store, commands to the one writer, the daemon's health."""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends, Request

from gateway.api.auth import Tokens
from gateway.api.refusals import Refusals
from gateway.api.signatures import Signatures
from gateway.domain.masterdata import MasterData
from gateway.ports import Clock, Commands, HealthReport
from gateway.settings.api import Role, TokenSettings
from gateway.store.log import PostingLog
from gateway.store.views import Views


@dataclass(frozen=True, slots=True)
class Services:
    """Everything the API may touch.

    `tokens` returns those in force now, `metrics` Prometheus text, `master` the master data in force; `stopping` ends
    long polls.
    """

    log: PostingLog
    views: Views
    commands: Commands
    clock: Clock
    health: Callable[[], HealthReport]
    metrics: Callable[[], Awaitable[bytes]]
    tokens: Tokens
    signatures: Signatures
    master: Callable[[], MasterData]
    certified: Collection[Role] = ()  # roles whose tokens count only with a client certificate
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    refusals: Refusals = field(init=False)

    def __post_init__(self) -> None:
        """Begin to count refusals by the same clock."""
        object.__setattr__(self, "refusals", Refusals(self.clock))


async def _services(request: Request) -> Services:
    services: Services = request.app.state.services
    return services


async def _caller(request: Request) -> TokenSettings:
    caller: TokenSettings = request.scope["caller"]
    return caller


FromServices = Annotated[Services, Depends(_services)]
Caller = Annotated[TokenSettings, Depends(_caller)]
