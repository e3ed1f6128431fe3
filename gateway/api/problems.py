"""How the API says no: the same shape of `detail` for what pydantic refuses and for what the store refuses."""

import json
from collections.abc import Sequence
from http import HTTPStatus

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError

from gateway.errors import CommandRefused, GatewayError
from gateway.store.lineage import Lineage


def _answer(status: int, content: dict[str, object], headers: dict[str, str] | None = None) -> Response:
    # ASCII only: a field name may be half a surrogate pair, which no UTF-8 can carry.
    return Response(json.dumps(content), status_code=status, headers=headers, media_type="application/json")


def unprocessable(loc: Sequence[str | int], message: str, kind: str = "value_error") -> Response:
    """422 that names the field, as `detail[].loc`."""
    return _answer(422, {"detail": [{"loc": list(loc), "msg": message, "type": kind}]})


def conflict(message: str) -> Response:
    """409: it contradicts what the store already has."""
    return _answer(409, {"detail": message})


def refused(status: HTTPStatus, error: CommandRefused) -> Response:
    """Answer why a command was not carried out, as `detail`, and what to do about it, as `hint`."""
    headers = {"WWW-Authenticate": 'Signature realm="gateway"'} if status is HTTPStatus.UNAUTHORIZED else None
    return _answer(status, {"detail": error.message, "hint": error.hint}, headers)


def other_store(lineage: Lineage) -> Response:
    """409: a cursor or acknowledgement of another store says nothing here.

    Of a store that this one was restored from, the postings up to `last_seq` are the same: the cursor goes on there.
    """
    former = [{"store": one.store, "last_seq": one.last_seq} for one in lineage.former]
    detail = f"this gateway's store is {lineage.store}"
    return _answer(409, {"detail": detail, "store": lineage.store, "former_stores": former})


def gone(first_available: int) -> Response:
    """410: retention has deleted what the cursor asks for."""
    detail = f"postings before seq {first_available} were deleted by retention"
    return _answer(410, {"detail": detail, "first_available": first_available})


async def invalid_request(_: Request, error: Exception) -> Response:
    """Answer 422 with every faulty field, without repeating what was sent (it may be huge, or no JSON at all)."""
    faults = error.errors() if isinstance(error, RequestValidationError) else []
    return _answer(422, {"detail": [{key: fault[key] for key in ("loc", "msg", "type")} for fault in faults]})


async def unavailable(_: Request, error: Exception) -> Response:
    """Answer 503: right now the store takes or gives nothing, or no signature can be checked; nothing was done."""
    message, hint = (error.message, error.hint) if isinstance(error, GatewayError) else (str(error), "")
    return _answer(503, {"detail": message, "hint": hint}, {"Retry-After": "5"})
