"""What a person said of the holds whose units a posting has: read from the journal's entry of each settlement."""

import sqlite3
from collections.abc import Iterable, Mapping
from typing import Any

import orjson

from gateway.domain.event import SETTLED, Trigger

Json = dict[str, Any]

_ENTRIES = "SELECT body FROM journal WHERE kind = 'settled' ORDER BY position"
_SENTENCE = "SELECT reason FROM exception WHERE id = ?"


def settlements(connection: sqlite3.Connection, triggers: Iterable[Trigger]) -> Mapping[str, Json]:
    """Return what was said of each settled trigger, by its event's key; retention may have deleted it."""
    wanted = {one.event.key for one in triggers if one.event.flag == SETTLED}
    if not wanted:
        return {}
    entries = (orjson.loads(body) for (body,) in connection.execute(_ENTRIES))
    return {
        part["key"]: _settlement(connection, entry)
        for entry in entries
        for part in entry["parts"]
        if part["key"] in wanted
    }


def _settlement(connection: sqlite3.Connection, entry: Json) -> Json:
    found = connection.execute(_SENTENCE, (entry["exception"],)).fetchone()
    said = {name: entry[name] for name in ("exception", "held", "settled", "uom", "reason", "person", "signature")}
    return {**said, "sentence": found[0] if found else ""}
