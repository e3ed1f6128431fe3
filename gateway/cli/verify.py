"""`gateway verify CONFIG_DIR`: proves the store, beside a running gateway or without one."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from gateway.cli.plain import plain
from gateway.cli.store_path import store_of
from gateway.store import manifest, witness
from gateway.store.findings import Check
from gateway.store.verification.against import against as compare
from gateway.store.verification.against import read_kept
from gateway.store.verify import verify as verify_store


def verify(
    folder: Annotated[Path, typer.Argument(help="configuration folder, or a demo's folder, or a store file")],
    *,
    since_checkpoint: Annotated[
        bool, typer.Option("--since-checkpoint", help="only what came behind the newest signed checkpoint")
    ] = False,
    against: Annotated[
        Path | None, typer.Option(help="checkpoints that the central system kept: JSON of GET /api/v1/checkpoints")
    ] = None,
) -> None:
    """Check chain, sequence, conservation and balances of the store; exit 1 when anything is wrong.

    Since the checkpoint it takes seconds; what was changed before that, only the whole verification finds.
    """
    console = Console(highlight=False)
    kept = read_kept(against) if against else None
    path = store_of(folder)
    checks = [*verify_store(path, since_checkpoint=since_checkpoint).checks]
    checks += [compare(path, kept)] if kept else []
    checks += [found] if (found := witness.inspect(path)) else []
    checks += [manifest.inspect(path)] if folder.is_file() else []
    for one in checks:
        _show(console, plain(one))
    raise typer.Exit(0 if all(one.ok for one in checks) else 1)


def _show(console: Console, check: Check) -> None:
    sign = "[green]ok  [/]" if check.ok else "[red]FAIL[/]"
    console.print(f"{sign} {escape(check.name)}: {escape(check.detail)}")
