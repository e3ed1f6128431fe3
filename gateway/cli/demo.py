"""`gateway demo`: a whole line on this machine, ending with the proof that nothing was lost or doubled."""

import asyncio
import json
import shutil
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from decimal import Decimal
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.live import Live

from gateway.cli.demo_config import DemoFolder
from gateway.cli.demo_scenes import Scenes
from gateway.cli.live import LiveTable
from gateway.cli.reconcile import print_report
from gateway.domain.event import SignalId
from gateway.errors import ConfigError, TransientError
from gateway.runtime import logs
from gateway.runtime.bootstrap import load_config, open_gateway
from gateway.runtime.clock import clock_of
from gateway.runtime.gateway import Gateway

_START = 60.0  # seconds for the simulators to listen, on a slow machine
_SETTLE = 120.0  # seconds for the last unit to reach the central system, on a slow machine
_REFRESH = 0.25  # seconds
_PAPER = 110  # columns of a table that nobody watches


def demo(
    seconds: Annotated[float, typer.Option(min=1, help="how long the machines run; Ctrl-C ends earlier")] = 60.0,
    speed: Annotated[float, typer.Option(min=0.1, help="times the machines' nameplate speed")] = 3.0,
    directory: Annotated[Path | None, typer.Option("--dir", help="keep store and ledgers in this empty folder")] = None,
    seed: Annotated[int, typer.Option(help="of the simulated machines")] = 1,
) -> None:
    """Run a bottling line on this machine: simulators, gateway and central ERP; ends with the reconciliation."""
    if find_spec("amqtt") is None:
        raise ConfigError("the demo needs an MQTT broker that isn't installed", "pip install 'backflush-gateway[demo]'")
    root = _folder(directory)
    logs.configure(root / "gateway.log")  # the terminal belongs to the table
    try:
        asyncio.run(_demo(DemoFolder.prepare(root), seconds, speed, seed))
        balanced = print_report(root)
    finally:
        if directory is None:
            shutil.rmtree(root, ignore_errors=True)
    raise typer.Exit(0 if balanced else 1)


def _folder(directory: Path | None) -> Path:
    if directory is None:
        return Path(tempfile.mkdtemp(prefix="backflush-demo-"))
    directory.mkdir(parents=True, exist_ok=True)
    if any(directory.iterdir()):
        raise ConfigError(f"{directory} is not empty", "a demo starts from nothing; give it a new folder")
    return directory.absolute()


async def _demo(folder: DemoFolder, seconds: float, speed: float, seed: int) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    console = Console()
    console.print("starting machines, broker and central ERP …")
    async with _simulators(folder, speed, seed) as line:
        ports = json.loads((folder.root / "ports.json").read_text("utf-8"))
        config = load_config(folder.write_config(ports, speed, short=True))
        async with open_gateway(config, clock_of(config.gateway)) as gateway:
            end = asyncio.Event()
            serving = asyncio.create_task(gateway.serve(end))
            scenes = Scenes(gateway, folder)
            try:
                await _watch(gateway, scenes, stop, seconds)
                console.print("machines stop, the last units are delivered …")
                await _settle(gateway, scenes, line, folder.root)
            finally:
                end.set()
                await serving
            for one in scenes.said:
                console.print(one, markup=False, highlight=False, soft_wrap=True)


@asynccontextmanager
async def _simulators(folder: DemoFolder, speed: float, seed: int) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run the line in a process of its own, so that its load and its faults are not the gateway's."""
    options = {
        "--dir": folder.root,
        "--seed": seed,
        "--speed": speed,
        "--erp-token-file": folder.push_token,
        "--pull-url": f"http://127.0.0.1:{folder.api_port}",
        "--pull-token-file": folder.pull_token,
    }
    arguments = [str(part) for option in options.items() for part in option]
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "simulators", "line", "--end-with-stdin", *arguments),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        start_new_session=True,  # Ctrl-C is for us: we end the machines first, then drain
    )
    try:
        await _until_said(process, "ready", _START)
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()


async def _until_said(process: asyncio.subprocess.Process, word: str, seconds: float) -> None:
    if process.stdout is None:
        return
    try:
        async with asyncio.timeout(seconds):
            while line := await process.stdout.readline():
                if line.decode().strip() == word:
                    return
    except TimeoutError as error:
        raise TransientError(f"the simulators did not say {word!r} within {seconds:g} s") from error
    raise TransientError(f"the simulators ended before they said {word!r}", "their own message stands above")


async def _watch(gateway: Gateway, scenes: Scenes, stop: asyncio.Event, seconds: float) -> None:
    """Show the live table until the time is up or somebody stops it."""
    loop = asyncio.get_running_loop()
    table, begun = LiveTable(gateway, scenes.said), loop.time()
    console = Console()
    if not console.is_terminal:
        console.width = _PAPER
    with Live(console=console, auto_refresh=False) as live:
        while not stop.is_set() and loop.time() - begun < seconds:
            await scenes.play(loop.time() - begun)
            live.update(table.render(loop.time() - begun, await _delivered(gateway)), refresh=console.is_terminal)
            await _first_of(stop, _REFRESH)
        live.update(table.render(loop.time() - begun, await _delivered(gateway)), refresh=True)
    if not console.is_terminal:
        console.line()  # Live ends its last line only on a terminal


async def _settle(gateway: Gateway, scenes: Scenes, line: asyncio.subprocess.Process, root: Path) -> None:
    """Stop the machines; wait until the last unit is counted and the last posting is at the central system."""
    from simulators import ledger  # noqa: PLC0415 - only the demo needs the machines' side

    if line.stdin is None:
        return
    line.stdin.write(b"stop\n")
    await _until_said(line, "stopped", _SETTLE)
    made = {SignalId(*name): one.total for name, one in ledger.read(root / "truth").items()}
    await _until(lambda: _all_counted(gateway, made), _SETTLE)
    await scenes.finish()
    await scenes.close_windows()
    await _until(lambda: _all_delivered(gateway), _SETTLE)


async def _all_counted(gateway: Gateway, made: dict[SignalId, Decimal]) -> bool:
    tallies = gateway.pipeline.writer.state.tallies
    return all(not total or (name in tallies and tallies[name].counted >= total) for name, total in made.items())


async def _all_delivered(gateway: Gateway) -> bool:
    return await _delivered(gateway) >= gateway.pipeline.writer.state.head.seq


async def _until(condition: Callable[[], Awaitable[bool]], seconds: float) -> None:
    # The reconciliation says what is missing, so running out of time is no error here.
    end = asyncio.get_running_loop().time() + seconds
    while not await condition() and asyncio.get_running_loop().time() < end:  # noqa: ASYNC110 - a store has no event
        await asyncio.sleep(_REFRESH)


async def _delivered(gateway: Gateway) -> int:
    """Return how far every reader of the posting log has come."""
    return min((one.through for one in await gateway.log.consumers()), default=0)


async def _first_of(event: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return
