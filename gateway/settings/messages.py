"""pydantic's errors as rows a person at the line can act on: file, line, key, value, and what would be right."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from gateway.settings.base import is_duration
from gateway.settings.fault import Fault, Step, hint
from gateway.settings.source import Source

Schema = Mapping[str, Any]

_SECRET = re.compile("sha256|pass|secret|token|user|credential")
_USER_INFO = re.compile(r"//[^/@\s]*@")  # mqtt://user:password@host
_LONGEST = 80


def translate(
    error: ValidationError, source: Source, prefix: tuple[Step, ...], schema: Callable[[], Schema]
) -> Iterator[Fault]:
    """Yield a fault for each of pydantic's; `prefix` is where in the file the validated part stands.

    `schema` gives the part's JSON Schema, which knows what the keys beside an unknown one are and mean.
    """
    described = schema()
    for details in error.errors(include_url=False):
        path = (*prefix, *details["loc"])
        if details["type"] == "missing":
            missing = str(details["loc"][-1])
            meaning = _properties(described, details["loc"][:-1]).get(missing, {}).get("description")
            yield source.fault(path[:-1], f"is missing ({meaning})" if meaning else "is missing", missing=missing)
        elif details["type"] == "extra_forbidden":
            known = _properties(described, details["loc"][:-1])
            yield source.fault(path, f"is no key here; {hint(str(path[-1]), known)}")
        else:
            yield source.fault(path, _USER_INFO.sub("//…@", _sentence(details)))


def _sentence(details: ErrorDetails) -> str:
    kind, context = details["type"], details.get("ctx", {})
    if kind == "value_error":
        return str(context["error"])
    if kind == "string_type" and isinstance(details["input"], int | Decimal):
        return f"{_shown(details)} is no text; write it in quotes"
    if kind in _WANTED:
        return f"{_shown(details)} is {_WANTED[kind]}"
    if kind == "literal_error":
        return f"{_shown(details)} is not one of {context['expected']}"
    if kind == "string_pattern_mismatch":
        return f"{_shown(details)} has a character that can't stand here (allowed: {context['pattern']})"
    _, should, rule = details["msg"].partition(" should ")  # "Input should be greater than 0"
    unit = " s" if is_duration(details["input"]) else ""
    return f"{_shown(details)} should {rule}{unit}" if should else details["msg"]


_WANTED = {
    "string_type": "no text",
    "int_type": "no whole number",
    "bool_type": "neither true nor false",
    "list_type": "no list (- …)",
    "dict_type": "no mapping (key: value)",
    "model_type": "no mapping (key: value)",
    "model_attributes_type": "no mapping (key: value)",
}


def _shown(details: ErrorDetails) -> str:
    value, key = details["input"], str(details["loc"][-1]) if details["loc"] else ""
    if _SECRET.search(key):
        return "the value (not shown)"
    if isinstance(value, dict | list):
        return "a mapping" if isinstance(value, dict) else "a list"
    words = {None: "nothing", True: "true", False: "false"}
    if value is None or isinstance(value, bool):
        return words[value]
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _properties(schema: Schema, path: Iterable[Step]) -> dict[str, Schema]:
    """Return the keys that `schema` knows at `path`, with their own schemas."""
    nodes = list(_variants(schema, schema))
    for step in path:
        nodes = [variant for node in nodes for child in _children(node, step) for variant in _variants(child, schema)]
    return {name: child for node in nodes for name, child in node.get("properties", {}).items()}


def _children(node: Schema, step: Step) -> Iterator[Schema]:
    if isinstance(step, int):
        yield node.get("items", {})
    elif step in node.get("properties", {}):
        yield node["properties"][step]
    elif isinstance(node.get("additionalProperties"), dict):
        yield node["additionalProperties"]


def _variants(node: Schema, root: Schema) -> Iterator[Schema]:
    """Yield `node` with its reference followed and its alternatives spread out."""
    if "$ref" in node:
        yield from _variants(root["$defs"][node["$ref"].rpartition("/")[2]], root)
        return
    yield node
    for key in ("anyOf", "oneOf", "allOf"):
        for alternative in node.get(key, ()):
            yield from _variants(alternative, root)
