"""`gateway verify CONFIG_DIR`: proves the store, beside a running gateway or without one."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from gateway.cli.store_path import store_of
from gateway.store.verify import verify as verify_store


def verify(
    folder: Annotated[Path, typer.Argument(help="configuration folder, or a demo's folder, or a store file")],
) -> None:
    """Check chain, sequence, conservation and balances of the store; exit 1 when anything is wrong."""
    console = Console(highlight=False)
    report = verify_store(store_of(folder))
    for check in report.checks:
        sign = "[green]ok  [/]" if check.ok else "[red]FAIL[/]"
        console.print(f"{sign} {escape(check.name)}: {escape(check.detail)}")
    raise typer.Exit(0 if report.ok else 1)
