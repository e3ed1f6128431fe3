"""The `gateway` command: one function a subcommand; an expected error is one message with its hint, exit 2."""

import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any

import typer
from rich.console import Console

from gateway.errors import ConfigError, GatewayError

_FAILED = 1
_UNUSABLE = 2

app = typer.Typer(
    name="gateway",
    help="Edge gateway for backflush: counts what the machines made, posts what that consumed, loses nothing.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


def _command(name: str) -> None:
    """Register gateway.cli.NAME's function of the same name."""
    function: Callable[..., Any] = getattr(import_module(f"gateway.cli.{name}"), name)
    app.command(name)(function)


for _name in ("demo", "run", "check", "schema", "verify", "status", "reconcile", "token"):
    _command(_name)


def main() -> None:
    """Run the command line; GatewayErrors become a message on standard error."""
    try:
        app()
    except GatewayError as error:
        console = Console(stderr=True, soft_wrap=True, highlight=False)
        console.print(error.message, style="red", markup=False)
        if error.hint:
            console.print(f"→ {error.hint}", markup=False)
        sys.exit(_UNUSABLE if isinstance(error, ConfigError) else _FAILED)
