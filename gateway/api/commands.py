"""Every command as POST /api/v1/commands/NAME: one endpoint a class, made from a table, with its signature."""

import re
from collections.abc import Callable, Coroutine
from decimal import Decimal
from functools import cache
from http import HTTPStatus
from typing import Any

import orjson
from fastapi import Request, Response
from pydantic import ValidationError, create_model

from gateway.api.auth import Audit, Permission
from gateway.api.binding import bind
from gateway.api.problems import refused, unprocessable
from gateway.api.refusals import Refused
from gateway.api.services import Caller, FromServices, Services
from gateway.api.shapes import Body, body_of, built
from gateway.api.signatures import SignatureBody, SignatureRefused, missing
from gateway.domain import command as commands
from gateway.domain.command import Command
from gateway.domain.quantity import text
from gateway.domain.signature import Author
from gateway.domain.signed_commands import SIGNED, needs_signature
from gateway.errors import CommandRefused, DataError
from gateway.formats import signed
from gateway.settings.api import TokenSettings

PERMISSIONS: dict[type, Permission] = {
    commands.Stage: Permission.STAGE,
    commands.ScanIn: Permission.OPERATE,
    commands.SetLotStatus: Permission.OPERATE,
    commands.ReturnLot: Permission.OPERATE,
    commands.CountLot: Permission.OPERATE,
    commands.IssueLot: Permission.OPERATE,
    commands.EnterOutput: Permission.OPERATE,
    commands.StartOrder: Permission.OPERATE,
    commands.ClearLine: Permission.OPERATE,
    commands.ApproveLabel: Permission.DECIDE,
    commands.PinBom: Permission.OPERATE,
    commands.AllowOverrun: Permission.OPERATE,
    commands.TrustClock: Permission.OPERATE,
    commands.Retry: Permission.OPERATE,
    commands.AcceptDeviation: Permission.OPERATE,
    commands.CloseException: Permission.OPERATE,
    commands.Reverse: Permission.OPERATE,
    commands.CloseWindow: Permission.OPERATE,
    commands.CloseOrder: Permission.DECIDE,
    commands.Activate: Permission.DECIDE,
    commands.SettleHold: Permission.OPERATE,
    commands.SettleHolds: Permission.OPERATE,
    commands.SignBaseline: Permission.OPERATE,
    commands.RedriveLetter: Permission.OPERATE,
    commands.DiscardLetter: Permission.OPERATE,
    commands.RedrivePosting: Permission.OPERATE,
    commands.SettlePosting: Permission.OPERATE,
}
# Some of these are signed only as they are asked: a release from quarantine, a close outside the tolerance.
SIGNABLE = {*SIGNED, commands.SetLotStatus, commands.CloseOrder}

Handler = Callable[..., Coroutine[Any, Any, Response]]


def name_of(kind: type) -> str:
    """Return a command's name on the web: ScanIn is `scan-in`."""
    return re.sub(r"(?<!^)(?=[A-Z])", "-", kind.__name__).lower()


def handler_of(kind: type) -> Handler:
    """Return the endpoint of a command: its members and an optional `signature` in, {"result": …} out."""
    model = _model(kind)

    async def handler(body: model, services: FromServices, caller: Caller) -> Response:  # type: ignore[valid-type]
        try:
            command: Command = built(kind, body, services.clock.now().wall)
        except DataError as error:
            return unprocessable(("body",), str(error))
        await services.refusals.settle(services.commands)
        try:
            given = await _signed(services, command, body, caller)
        except SignatureRefused as error:
            who = Author(_claimed(body, caller))
            await services.refusals.audit(services.commands, caller.name, Refused(command, who, error.message))
            return refused(error.status, error)
        return await _execute(services, *given)

    handler.__name__, handler.__doc__ = name_of(kind).replace("-", "_"), kind.__doc__
    return handler


def audit_of(kind: type) -> Audit | None:
    """Return what writes down that a token without the permission asked for it; None where nobody ever signs it."""

    async def audit(request: Request, why: str) -> None:
        services: Services = request.app.state.services
        caller: TokenSettings = request.scope["caller"]
        if command := await _asked(kind, request, services):
            said = Refused(command, Author(caller.name), why)
            await services.refusals.audit(services.commands, caller.name, said)

    return audit if kind in SIGNABLE else None


@cache
def _model(kind: type) -> type[Body]:
    signature: Any = (SignatureBody | None, None)
    return create_model(f"{kind.__name__}Command", __base__=body_of(kind), __doc__=kind.__doc__, signature=signature)


async def _execute(services: Services, command: Command, author: Author) -> Response:
    try:
        result = await services.commands.execute(command, author)
    except CommandRefused as error:
        return refused(HTTPStatus.CONFLICT, error)
    return Response(orjson.dumps({"result": result}, default=_plain), media_type="application/json")


async def _signed(services: Services, command: Command, body: Any, caller: TokenSettings) -> tuple[Command, Author]:
    """Return what is asked and who asks: the signer, checked, or the token's owner where nothing has to be signed."""
    given: SignatureBody | None = body.signature
    if given is None:
        if what := needs_signature(command):
            raise missing(command, what)
        return command, Author(caller.name)
    signer = await services.signatures.check(given, command, PERMISSIONS[type(command)], caller.name)
    bound, posting = await bind(services, command)  # only now: a password takes its time, and the line goes on
    return bound, Author(signer.user, signer.sign(signed.record(bound, posting)))


def _claimed(body: Any, caller: TokenSettings) -> str:
    return f"{body.signature.user} (token {caller.name})" if body.signature else caller.name


async def _asked(kind: type, request: Request, services: Services) -> Command | None:
    """Return the command of a refused request, None where its body is none."""
    try:
        body = _model(kind).model_validate_json(await request.body())
        command: Command = built(kind, body, services.clock.now().wall)
    except (ValidationError, DataError):
        return None
    return command


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return text(value)
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return value._asdict()
    raise TypeError(f"a result can't carry a {type(value).__name__}")
