"""`gateway schema [KIND]`: JSON Schema of the YAML files, for editors."""

import json
from typing import Annotated

import typer

from gateway.runtime import plugins
from gateway.settings.schema import schemas


def schema(
    kind: Annotated[str | None, typer.Argument(help="gateway | device | triggers | masterdata; default: all")] = None,
) -> None:
    """Print the JSON Schema of one kind of file, or all of them as one object by kind."""
    drivers = [one.settings for one in plugins.drivers().values()]
    sinks = [one.settings for one in plugins.sinks().values()]
    found = schemas(drivers, sinks)
    if kind is not None and kind not in found:
        raise typer.BadParameter(f"{kind} is no kind of file; one of {', '.join(found)}", param_hint="KIND")
    # Not by rich: a schema is piped into a file, so no line may be wrapped or coloured.
    typer.echo(json.dumps(found[kind] if kind else found, indent=2, ensure_ascii=False))
