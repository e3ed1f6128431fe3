"""`gateway run CONFIG_DIR`: the daemon."""

import asyncio
import logging
import signal
from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.damaged import choice
from gateway.errors import CommandRefused, ConfigError, GatewayError, StoreDamaged
from gateway.runtime import logs
from gateway.runtime.bootstrap import load_config, open_gateway
from gateway.runtime.clock import clock_of
from gateway.runtime.gateway import Gateway
from gateway.settings.load import Config

logger = logging.getLogger(__name__)


def run(config_dir: Annotated[Path, typer.Argument(help="folder with gateway.yaml")]) -> None:
    """Run the gateway until SIGTERM or Ctrl-C; SIGHUP reads the configuration again."""
    config = load_config(config_dir)
    logs.configure()
    asyncio.run(_serve(config, config_dir))


async def _serve(config: Config, folder: Path) -> None:
    clock = clock_of(config.gateway)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    try:
        async with open_gateway(config, clock) as gateway:
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.add_signal_handler(number, stop.set)
            reloads = _Reloads(gateway, folder)
            loop.add_signal_handler(signal.SIGHUP, reloads.request)
            logger.info(
                "gateway %s, store %s, API on port %d", config.gateway.gateway, gateway.log.store, gateway.api.port
            )
            await gateway.serve(stop)
    except CommandRefused as error:
        raise ConfigError(f"{folder}: {error.message}", error.hint) from error
    except StoreDamaged as error:
        raise StoreDamaged(error.message, choice(config, folder)) from error


class _Reloads:
    """SIGHUP: the new configuration takes over, or is refused and the old one keeps running."""

    def __init__(self, gateway: Gateway, folder: Path) -> None:
        self._gateway = gateway
        self._folder = folder
        self._task: asyncio.Task[None] | None = None
        self._requested = False

    def request(self) -> None:
        """Start a reload; one that is under way is followed by another, it may have read the files too early."""
        self._requested = True
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._reload_while_requested())

    async def _reload_while_requested(self) -> None:
        while self._requested:
            self._requested = False
            await self._reload()

    async def _reload(self) -> None:
        try:
            config = await asyncio.to_thread(load_config, self._folder)
            await self._gateway.reload(config)
        except GatewayError as error:
            for fault in str(error).splitlines():  # a record is one line
                logger.error("the new configuration is refused, the old one keeps running: %s", fault)  # noqa: TRY400 - no bug: no traceback
        else:
            logger.info("configuration of %s is in force", self._folder)
