"""Requests made from an OpenAPI document: what it asks for, what exists at the site, and what nobody asked for."""

import json
import random
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import quote

Document = dict[str, Any]
Schema = dict[str, Any]
Known = Mapping[str, tuple[Any, ...]]
_ODD: tuple[Any, ...] = (
    *(None, True, -1, 0, 2**31, 2**63, -(2**63) - 1, 10**400, 0.1, 1e308, "", " ", "\x00", "\ud800", "🍾", "e\u0301"),
    *(
        "x" * 300,
        "x" * 100_000,
        "1e400",
        "NaN",
        "-0",
        "1e-13",
        "１２",
        "../..",
        "%00",
        "'; --",
        "{}",
        "0001-01-01T00:00:00Z",
    ),
    *("9999-12-31T23:59:59-23:59", "2026-02-30T00:00:00Z", [], {}, [[]], [None], {"": {}}, [0, [1, 2], 0]),
)
_EXACT = ("0", "1", "0.5", "-1", "12", "1000000000000", "0.0000000000001", "1e3", 1, 7)
_TEXTS = ("", "a", "reason", "größer", "a b/c?d#e", "\n", "\u202e", "0" * 41)
_TIMES = ("2026-11-21T10:00:00Z", "2026-11-21T10:00:00+14:00", "2027-01-01", "soon")
_WRITTEN = (*_EXACT, *_TIMES, *_TEXTS)
_OF_TYPE: Mapping[str, tuple[Any, ...]] = {"number": (0.0, -1.5, 1e300), "boolean": (True, False), "null": (None,)}


class Request(NamedTuple):
    """What is sent; `path` and `method` are as in the document."""

    path: str
    method: str
    url: str
    body: bytes | None


def operations(document: Document) -> list[tuple[str, str, Schema]]:
    """Return (method, path, operation) of everything in the document."""
    return [(method, path, one) for path, item in document["paths"].items() for method, one in item.items()]


def request(chance: random.Random, document: Document, known: Known, signature: Schema) -> Request:
    """Return a request to any operation; `known` has what exists, by the name of the field that asks for it."""
    method, path, operation = chance.choice(operations(document))
    maker = _Maker(chance, document, known)
    query = []
    url = path
    for one in operation.get("parameters", ()):
        if not one["required"] and chance.random() < 0.5:
            continue
        value = quote(_text(maker.value(one["schema"], one["name"])), safe="")
        if one["in"] == "path":
            url = url.replace(f"{{{one['name']}}}", value.replace("%2F", "") or "%20")  # a slash makes another path
        else:
            query.append(f"{one['name']}={value}")
    body = _body(maker, operation, signature)
    return Request(path, method, f"{url}?{'&'.join(query)}" if query else url, body)


def _body(maker: "_Maker", operation: Schema, signature: Schema) -> bytes | None:
    if "requestBody" not in operation:
        return None
    value = maker.value(operation["requestBody"]["content"]["application/json"]["schema"], "")
    if isinstance(value, dict) and maker.chance.randint(0, 2):
        value = value | {"signature": signature}
    content = json.dumps(value).encode()
    return maker.chance.choice((content, content, content, content, content[:-1], b"", b"\xff" + content))


def _text(value: Any) -> str:
    shown = value if isinstance(value, str) else json.dumps(value)
    return shown[:2000].encode("utf-8", "replace").decode()


class _Maker:
    """Draws values for schemas: mostly what they ask for."""

    def __init__(self, chance: random.Random, document: Document, known: Known) -> None:
        self.chance = chance
        self._document = document
        self._known = known

    def value(self, schema: Schema, name: str) -> Any:
        """Return a value for the field of that name."""
        if name and not self.chance.randint(0, 19):
            return self.chance.choice(_ODD)
        if name in self._known and self.chance.randint(0, 3):
            return self.chance.choice(self._known[name])
        if "$ref" in schema:
            return self.value(self._document["components"]["schemas"][schema["$ref"].rpartition("/")[2]], "")
        if "anyOf" in schema:
            return self.value(self.chance.choice(schema["anyOf"]), "")
        if "enum" in schema:
            return self.chance.choice(schema["enum"])
        return self._of_type(schema)

    def _of_type(self, schema: Schema) -> Any:
        match schema.get("type"):
            case "object":
                return self._object(schema)
            case "array":
                return [self.value(schema.get("items", {}), "") for _ in range(self.chance.randint(0, 3))]
            case "integer":
                return self.chance.randint(int(schema.get("minimum", -3)), int(schema.get("maximum", 2**40)))
        kind = schema.get("type", "")
        return self.chance.choice(_EXACT if isinstance(kind, list) else _OF_TYPE.get(kind, _WRITTEN))

    def _object(self, schema: Schema) -> dict[str, Any]:
        required = schema.get("required", ())
        made = {}
        for name, field in schema.get("properties", {}).items():
            if self.chance.randint(0, 29 if name in required else 1):
                made[name] = self.value(field, name)
        if not self.chance.randint(0, 19):
            made[self.chance.choice(("more", "", "\ud800", "__class__"))] = self.chance.choice(_ODD)
        return made
