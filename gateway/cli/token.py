"""`gateway token NAME ROLE`: a new API token."""

import json
import secrets
from hashlib import sha256
from typing import Annotated, get_args

import typer

from gateway.settings.api import Role, TokenSettings


def token(
    name: Annotated[str, typer.Argument(help="who gets it; stands in the audit trail")],
    role: Annotated[str, typer.Argument(help=" | ".join(get_args(Role)))],
) -> None:
    """Make a random 256-bit API token: shown once, kept by the gateway only as its hash."""
    if role not in get_args(Role):
        raise typer.BadParameter(f"{role} is no role; one of {', '.join(get_args(Role))}", param_hint="ROLE")
    secret = secrets.token_urlsafe(32)
    entry = TokenSettings.model_validate({"name": name, "role": role, "sha256": sha256(secret.encode()).hexdigest()})
    typer.echo(f"Token (shown this once): {secret}\n")
    typer.echo("Paste into gateway.yaml, under api: tokens:")
    quoted = json.dumps(entry.name, ensure_ascii=False)
    typer.echo(f'    - {{name: {quoted}, role: {entry.role}, sha256: "{entry.sha256}"}}')
