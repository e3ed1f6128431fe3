"""What waits for a person because nobody could use it: dead letters, and postings that a sink refused."""

from base64 import b64encode
from codecs import getincrementaldecoder
from typing import Annotated, Any

from fastapi import HTTPException, Path, Query

from gateway.api.services import FromServices
from gateway.api.shapes import LARGEST
from gateway.domain.clock import rfc3339
from gateway.store.letters import Closed, Letter, Refused

_Number = Annotated[int, Query(ge=0, le=LARGEST)]
_Limit = Annotated[int, Query(ge=1, le=1000)]
_Closed = Annotated[bool, Query(description="the closed ones instead")]
_BREAKS = "\r\n\t"


async def list_letters(
    services: FromServices, after: _Number = 0, limit: _Limit = 200, *, closed: _Closed = False
) -> dict[str, Any]:
    """Return dead letters by id; of a long one only the beginning. Read on behind `next_after` while `has_more`."""
    found = await services.views.letters(after, limit + 1, closed=closed)
    page = found[:limit]
    return {
        "dead_letters": [shown(one) for one in page],
        "next_after": page[-1].id if page else after,
        "has_more": len(found) > limit,
    }


async def read_letter(services: FromServices, letter: Annotated[int, Path(ge=0, le=LARGEST)]) -> dict[str, Any]:
    """Return a dead letter with all its bytes."""
    found = await services.views.letter(letter)
    if found is None:
        raise HTTPException(404, f"there is no dead letter {letter}")
    return shown(found)


async def list_rejections(
    services: FromServices,
    sink: Annotated[str, Query(max_length=100)] = "",
    after: _Number = 0,
    limit: _Limit = 200,
    *,
    closed: _Closed = False,
) -> dict[str, Any]:
    """Return postings that a sink refused, by sink and seq; read on behind `next_after` while `has_more`."""
    found = await services.views.refused((sink, after), limit + 1, closed=closed)
    page = found[:limit]
    last = {"sink": page[-1].sink, "after": page[-1].seq} if page else {"sink": sink, "after": after}
    return {
        "rejections": [shown_refused(one) for one in page],
        "next_after": last,
        "has_more": len(found) > limit,
    }


def shown(one: Letter) -> dict[str, Any]:
    """Return a letter as JSON: its bytes as text where a person can read that, else base64."""
    text = as_text(one.payload)
    return {
        "id": one.id,
        "device": one.device,
        "source": one.source,
        "at": rfc3339(one.at),
        "reason": one.reason,
        "size": one.size,
        "retained": one.retained,
        "text": text,
        "base64": None if text is not None else b64encode(one.payload).decode(),
        "complete": len(one.payload) == one.size,
        **_closing(one.closed),
    }


def shown_refused(one: Refused) -> dict[str, Any]:
    """Return a refused posting as JSON; `order` is null where retention has deleted it."""
    return {
        "sink": one.sink,
        "seq": one.seq,
        "order": one.order,
        "reason": one.reason,
        "at": rfc3339(one.at),
        "tries": one.tries,
        "asked_again": one.asked,
        "sink_removed": one.removed,
        **_closing(one.closed),
    }


def as_text(payload: bytes) -> str | None:
    """Return the bytes as text, None where they aren't printable UTF-8; a character cut off at the end is left out."""
    try:
        text = getincrementaldecoder("utf-8")().decode(payload)
    except UnicodeDecodeError:
        return None
    return text if all(one.isprintable() or one in _BREAKS for one in text) else None


def _closing(closed: Closed | None) -> dict[str, Any]:
    if closed is None:
        return {}
    return {"closed_at": rfc3339(closed.at), "close_reason": closed.reason, "closed_by": closed.person}
