"""What a signature is bound to beside the command: the posting, or what the work list and the order said then."""

from dataclasses import replace
from http import HTTPStatus

import orjson

from gateway.api.services import Services
from gateway.api.signatures import SignatureRefused
from gateway.domain.command import AcceptDeviation, CloseException, CloseOrder, Command, Reverse, SettleHold
from gateway.domain.exception import ExceptionKind
from gateway.formats import signed

_Seen = AcceptDeviation | CloseException | CloseOrder | SettleHold


async def bind(services: Services, command: Command) -> tuple[Command, str | None]:
    """Return the command with what was `seen`, and the hash of the posting that it is about, None for none.

    Who asks may say what they were shown; where they don't, it is what the store has now. SignatureRefused where
    the posting isn't there, and where nobody says which of a gap they were shown: the next loss joins it, and what
    they say was made would cover units that they never saw.
    """
    if isinstance(command, Reverse):
        return command, await _posting_hash(services, command.seq)
    if isinstance(command, _Seen) and not command.seen:
        return replace(command, seen=await _seen(services, command)), None
    return command, None


async def _seen(services: Services, command: _Seen) -> str:
    if isinstance(command, CloseOrder):
        progress = await services.views.progress()
        made = {operation: one for (order, operation), one in progress.items() if order == command.order}
        return signed.made(command.order, made)
    found = await services.views.exception(command.exception)
    if found is None:
        return ""  # whoever carries it out will say so
    if isinstance(command, AcceptDeviation):
        return signed.deviation(found)
    if found.kind is ExceptionKind.GAP:
        raise SignatureRefused(
            HTTPStatus.CONFLICT,
            f"exception {found.id} is a gap, which may have grown since you looked at it",
            "look at it with GET /api/v1/exceptions, and send the `seen` that it has there",
        )
    return signed.held(found)


async def _posting_hash(services: Services, seq: int) -> str:
    page = await services.log.page(seq - 1, seq, 1)
    if not page.documents:
        raise await _no_posting(services, seq)
    found: str = orjson.loads(page.documents[0].body)["hash"]
    return found


async def _no_posting(services: Services, seq: int) -> SignatureRefused:
    last = await services.log.last()
    if 0 < seq <= last:
        message, hint = f"retention has deleted posting {seq}", "correct it in the central system"
    else:
        message, hint = f"there is no posting {seq}", f"the last one is {last}"
    return SignatureRefused(HTTPStatus.CONFLICT, message, hint)
