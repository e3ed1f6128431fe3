"""JSON Schema of each kind of file, so that an editor completes and checks what a person writes."""

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from gateway.settings.device import DeviceSettings
from gateway.settings.gateway_file import GatewaySettings
from gateway.settings.masterdata import MasterDataFile
from gateway.settings.sink import SinkSettings
from gateway.settings.triggers import TriggersFile

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schemas(drivers: Sequence[type[DeviceSettings]], sinks: Sequence[type[SinkSettings]]) -> dict[str, dict[str, Any]]:
    """Return the JSON Schema of `gateway`, `device`, `triggers` and `masterdata`."""
    return {
        "gateway": gateway_schema(sinks),
        "device": {"$schema": _DIALECT, "title": "devices/*.yaml", **_one_of(drivers)},
        "triggers": {"$schema": _DIALECT, **model_schema(TriggersFile)},
        "masterdata": {"$schema": _DIALECT, **model_schema(MasterDataFile)},
    }


def model_schema(model: type[BaseModel]) -> dict[str, Any]:
    """Return what the YAML of `model` may hold."""
    schema: dict[str, Any] = _written(model.model_json_schema())
    return schema


def gateway_schema(sinks: Sequence[type[SinkSettings]]) -> dict[str, Any]:
    """Return the schema of gateway.yaml, where each entry of `sinks` is one of the sinks' models."""
    schema, choice = model_schema(GatewaySettings), _one_of(sinks)
    schema["$defs"] |= choice.pop("$defs", {}) | {"SinkSettings": choice}
    return {"$schema": _DIALECT, **schema}


def _one_of(models: Sequence[type[BaseModel]]) -> dict[str, Any]:
    references, definitions = models_json_schema([(model, "validation") for model in models])
    choice = {**definitions, "oneOf": [references[model, "validation"] for model in models]}
    schema: dict[str, Any] = _written(choice)
    return schema


def _written(node: Any) -> Any:
    """Return the schema with default durations as a person writes them: `10s`, where the model has 10.0."""
    if isinstance(node, list):
        return [_written(one) for one in node]
    if not isinstance(node, dict):
        return node
    written = {key: _written(value) for key, value in node.items()}
    if isinstance(written.get("default"), float) and written.get("type") == "string":
        written["default"] = f"{format(written['default'], 'f').rstrip('0').rstrip('.')}s"
    return written
