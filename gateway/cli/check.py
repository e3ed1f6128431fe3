"""`gateway check CONFIG_DIR`: every fault of a configuration at once, or what it would run."""

from decimal import Decimal
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from gateway.errors import ConfigError
from gateway.runtime.bootstrap import load_config
from gateway.settings.device import counter_of, events_of, signals_of
from gateway.settings.load import Config

_UNITS = (("years", 365 * 86400), ("days", 86400), ("h", 3600), ("min", 60), ("s", 1))


def check(
    config_dir: Annotated[Path, typer.Argument(help="folder with gateway.yaml")],
) -> None:
    """Check a configuration without touching anything: file:line of each fault, exit 2 if there is one."""
    try:
        config = load_config(config_dir)
    except ConfigError as error:
        # A row stays a row, whatever the width of the terminal: editors jump to file:line.
        Console(stderr=True).print(str(error), soft_wrap=True, markup=False, highlight=False)
        raise typer.Exit(2) from error
    console = Console()
    console.print(_signals(config))
    console.print(_summary(config), soft_wrap=True, highlight=False)


def _signals(config: Config) -> Table:
    table = Table("signal", "protocol", "counts", "longest safe outage", box=None, title_justify="left")
    for device in config.devices.values():
        for name, signal in signals_of(device).items():
            counter = counter_of(signal)
            if counter:
                row = counter.counts.value, longest_safe_outage(counter.modulus, counter.max_rate)
            elif events_of(signal):
                row = "events", "what the broker keeps"
            else:
                row = "context", ""
            table.add_row(f"{device.device}.{name}", device.kind, *row)
    return table


def longest_safe_outage(modulus: int, max_rate: Decimal) -> str:
    """Return the time without a reading after which a counter could have wrapped, e.g. `54.6 min`."""
    seconds = Decimal(modulus) / max_rate
    unit, length = next((one for one in _UNITS if seconds >= one[1]), _UNITS[-1])
    return f"{seconds / length:.1f} {unit}"


def _summary(config: Config) -> str:
    master = config.master
    counts = {
        "lines": config.lines,
        "devices": config.devices,
        "signals": [name for device in config.devices.values() for name in signals_of(device)],
        "rules": config.rules,
        "items": master.items,
        "BOMs": master.boms,
        "orders": master.orders,
        "staged lots": master.stagings,
        "reasons": master.reasons,
    }
    row = " · ".join(f"{what} {len(found)}" for what, found in counts.items())
    rows = [
        f"\n{config.gateway.gateway}: {row}",
        f"master data {master.hash}",
        # What is signed to put it in force, where that takes a signature.
        f"configuration {config.configuration_hash}",
        f"store {config.store_path}",
        "ok",
    ]
    return "\n".join(rows)
