"""The `gateway` command: one function a subcommand; an expected error is one message with its hint, exit 2."""

import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any

import typer
from rich.console import Console

from gateway.cli.user import user
from gateway.cli.written import Written
from gateway.errors import ConfigError, GatewayError, StoreDamaged
from gateway.formats.plain import escaped

_FAILED = 1
_UNUSABLE = 2
_DAMAGED = 65  # EX_DATAERR of sysexits.h; systemd doesn't restart it (RestartPreventExitStatus)

_CODES = ((ConfigError, _UNUSABLE), (StoreDamaged, _DAMAGED))

app = typer.Typer(
    name="gateway",
    help="Edge gateway for backflush: counts what the machines made, posts what that consumed, loses nothing.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


# Module → its commands. A command is the function of the same name, `-` read as `_`; `return` is a word of Python's.
_COMMANDS = {
    "demo": ("demo",),
    "run": ("run",),
    "check": ("check",),
    "schema": ("schema",),
    "verify": ("verify",),
    "status": ("status",),
    "reconcile": ("reconcile",),
    "token": ("token",),
    "lists": ("exceptions", "orders", "lots", "windows", "baselines"),
    "stock": ("stage", "scan-in", "issue", "return", "count", "lot-status"),
    "orders": ("start-order", "clear-line", "approve-label", "enter", "pin-bom", "allow-overrun", "close-order"),
    "genealogy": ("genealogy",),
    "explain": ("explain",),
    "backup": ("backup", "archive"),
    "restore": ("restore", "new-store"),
    "record": ("record",),
    "replay": ("replay",),
    "measures": ("measures", "shadow", "full-documents"),
    "holds": ("settle", "sign-baseline"),
    "letters": ("letters", "refused", "redrive", "discard", "settle-posting"),
    "decisions": ("retry", "accept", "close-exception", "reverse", "close-window", "trust-clock", "activate"),
}
_FUNCTIONS = {"return": "return_lot"}


def _register(module: str, commands: tuple[str, ...]) -> None:
    for name in commands:
        function: Callable[..., Any] = getattr(
            import_module(f"gateway.cli.{module}"), _FUNCTIONS.get(name, name.replace("-", "_"))
        )
        app.command(name, cls=Written)(function)


for _module, _names in _COMMANDS.items():
    _register(_module, _names)
app.add_typer(user, name="user")


def main() -> None:
    """Run the command line; GatewayErrors become a message on standard error."""
    try:
        app()
    except GatewayError as error:
        console = Console(stderr=True, soft_wrap=True, highlight=False)
        console.print(escaped(error.message, "\n"), style="red", markup=False)
        if error.hint:
            console.print("→ " + escaped(error.hint, "\n"), markup=False)
        sys.exit(next((code for kind, code in _CODES if isinstance(error, kind)), _FAILED))
