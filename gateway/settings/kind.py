"""Choosing the model by `kind`: a device's by its protocol, a sink's by its destination."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar, get_args

from pydantic import ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

from gateway.settings.base import Settings
from gateway.settings.fault import hint

M = TypeVar("M", bound=Settings)


def by_kind(models: Sequence[type[M]]) -> dict[str, type[M]]:
    """Return the models by the `kind` each declares as a Literal."""
    return {kind: model for model in models for kind in get_args(model.model_fields["kind"].annotation)}


def validate_kind(models: Mapping[str, type[M]], data: Any, context: Any) -> M:
    """Return `data` as the model of its `kind`; ValidationError, also where nothing is of that kind."""
    kind = data.get("kind") if isinstance(data, dict) else None
    if isinstance(kind, str) and kind in models:
        return models[kind].model_validate(data, context=context)
    path: tuple[str, ...] = ("kind",)
    if not isinstance(data, dict):
        fault, path = PydanticCustomError("dict_type", "has to be a mapping"), ()
    elif kind is None:
        fault = PydanticCustomError("missing", "is missing")
    else:
        message = f"nothing is of kind {kind!r}; {hint(str(kind), models)}"
        fault = PydanticCustomError("unknown_kind", "{message}", {"message": message})
    raise ValidationError.from_exception_data("kind", [InitErrorDetails(type=fault, loc=path, input=data)])
