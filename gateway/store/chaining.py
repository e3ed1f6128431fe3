"""An entry of the chain that is no posting: rendered once, sealed behind the one before it."""

from collections.abc import Mapping
from typing import Any

from gateway.formats import canonical, chain
from gateway.formats.canonical import Place
from gateway.store.batch import Head, JournalRow


def chained(kind: str, content: Mapping[str, Any], place: Place, head: Head) -> tuple[JournalRow, Head]:
    """Return the entry that follows `head`, and where the chain ends with it."""
    position = head.position + 1
    body, sealed = chain.seal(canonical.journal(kind, content, position, place), head.hash)
    return JournalRow(position, kind, body), Head(position, sealed, head.seq)
