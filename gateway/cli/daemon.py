"""The running gateway as the commands see it: its address from the configuration, its token from beside the store."""

import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import typer

from gateway.api.commands import name_of
from gateway.cli.pinned import PinnedContext
from gateway.cli.plain import plain
from gateway.errors import CommandRefused, GatewayError, TransientError
from gateway.runtime.bootstrap import load_config
from gateway.runtime.local_token import local_token_path
from gateway.settings.load import Config

_PATIENCE = 10.0  # seconds the daemon may take to show how it is, on a loaded machine
_WORK = 120.0  # seconds a command may take: closing an order posts what waits
_UNAVAILABLE = 503
_UNKNOWN = (404, 405)  # to the gateway only what is newer than it; its orders and letters aren't asked for here
_PORT = "somebody else has its port: correct api.listen in gateway.yaml, or end the other one"
_OLDER = "it is another program, or an older gateway: correct api.listen in gateway.yaml, or restart the gateway"
_LOOK = "see what it logs; before you repeat a command, look whether it was done"
_MAY_BE_TLS = f"if api.tls was taken out of gateway.yaml since its start, restart it; else {_LOOK}"

Give = Callable[..., Any]  # (command, body, signature=None) → the result, errors as of `send`


def ask(config: Config, path: str, *members: str) -> dict[str, Any]:
    """Return what the running daemon answers to a GET, with those members; errors as of `send`."""
    with _client(config, _PATIENCE) as client:
        return _members(config, _answer(config, client, "GET", path), *members)


def send(config_dir: Path, command: type, body: Mapping[str, Any], signature: Mapping[str, str] | None = None) -> Any:
    """Have the running daemon carry out a command; return its result.

    CommandRefused with the daemon's reason and hint, TransientError where none answers or something else does.
    """
    with sending(config_dir) as give:
        return give(command, body, signature)


@contextmanager
def sending(config_dir: Path) -> Iterator[Give]:
    """Yield what gives the running daemon one command after the other, over one connection."""
    config = load_config(config_dir)
    with _client(config, _WORK) as client:

        def give(command: type, body: Mapping[str, Any], signature: Mapping[str, str] | None = None) -> Any:
            said = {name: value for name, value in body.items() if value is not None}
            said["signature"] = signature and dict(signature)
            answer = _answer(config, client, "POST", f"/api/v1/commands/{name_of(command)}", said)
            return _members(config, answer, "result")["result"]

        yield give


def entry(config_dir: Path, exception: int) -> dict[str, Any]:
    """Return an open entry of the work list as the API shows it; empty where none of that number is open."""
    page = f"/api/v1/exceptions?after={max(0, exception - 1)}&limit=1"
    answer = ask(load_config(config_dir), page, "exceptions")
    return next((one for one in answer["exceptions"] if one["id"] == exception), {})


def shown(found: Mapping[str, Any]) -> str | None:
    """Tell what an entry holds, before somebody signs for it; return the `seen` of that, None where there is none."""
    if not found:
        return None
    held = f"{found['quantity']} {found['uom'] or 'units'}"
    typer.echo(f"exception {found['id']} holds {plain(held)}: {plain(found['reason'])}", err=True)
    if "seen" not in found:
        raise GatewayError("the running gateway is older than this command: restart it")
    return str(found["seen"])


def held(config_dir: Path, order: str, operation: str) -> str:
    """Return why triggers of that operation wait, as the end of a sentence; empty where none does."""
    try:
        answer = ask(load_config(config_dir), "/api/v1/exceptions", "exceptions")
    except GatewayError:
        return ""  # what was asked for is done, whatever became of the daemon since
    waiting = [one for one in answer["exceptions"] if one["scope"] == [order, operation]]
    return "".join(f"; waiting in exception {one['id']}: {plain(one['reason'])}" for one in waiting)


def _client(config: Config, patience: float) -> httpx.Client:
    return httpx.Client(
        base_url=f"{config.gateway.api.scheme}://{config.gateway.api.listen}",
        verify=_ourselves(config),
        headers={"Authorization": f"Bearer {_token(config)}"},
        timeout=patience,
        trust_env=False,  # the token is for this machine, not for a proxy
    )


def _ourselves(config: Config) -> ssl.SSLContext | bool:
    """Return who answers for us: whoever has the certificate in the configuration, and its key."""
    api = config.gateway.api
    return PinnedContext(api.tls.certificate, api.listen) if api.tls else False  # plain HTTP needs no context


def _token(config: Config) -> str:
    path = local_token_path(config.store_path)
    try:
        token = path.read_text("utf-8", errors="replace").strip()
    except FileNotFoundError as error:
        raise _nobody(config) from error
    except OSError as error:
        raise GatewayError(f"can't read {path}: {error.strerror}", "run it as the user the gateway runs as") from error
    if not (token and token.isascii() and token.isprintable()):
        raise GatewayError(f"{path} holds no token", "restart the gateway: it writes a new one")
    return token


def _answer(config: Config, client: httpx.Client, method: str, path: str, body: object = None) -> Any:
    """Return the JSON of a daemon's answer; its refusal, or what is the matter with whoever answers, as an error."""
    try:
        answer = client.request(method, path, json=body)
    except httpx.HTTPError as error:
        raise _unanswered(config, error, client.timeout.read) from error
    if not answer.is_success:
        raise _refusal(config, answer)
    try:
        return answer.json()
    except ValueError as error:
        raise _stranger(config) from error


def _members(config: Config, answer: Any, *members: str) -> dict[str, Any]:
    if not isinstance(answer, dict) or not answer.keys() >= set(members):
        raise _stranger(config)
    return answer


def _stranger(config: Config) -> TransientError:
    return TransientError(f"what answers at {config.gateway.api.listen} is no gateway", _PORT)


def _unanswered(config: Config, error: httpx.HTTPError, patience: float | None) -> TransientError:
    at = config.gateway.api.listen
    if isinstance(error, httpx.ConnectError):
        return _nobody(config)
    if isinstance(error, httpx.TimeoutException):
        return TransientError(f"what listens at {at} has not answered within {patience:g} s", _LOOK)
    hint = _LOOK if config.gateway.api.tls else _MAY_BE_TLS
    return TransientError(f"what listens at {at} broke off without an answer", hint)


def _nobody(config: Config) -> TransientError:
    return TransientError(f"no gateway answers at {config.gateway.api.listen}", f"start it: gateway run {config.root}")


def _refusal(config: Config, answer: httpx.Response) -> GatewayError:
    if answer.headers.get("WWW-Authenticate", "").startswith("Bearer"):
        return CommandRefused(
            f"the gateway at {config.gateway.api.listen} does not know the token of this store", _PORT
        )
    if answer.status_code in _UNKNOWN:
        return TransientError(f"what listens at {config.gateway.api.listen} doesn't know that command", _OLDER)
    try:
        body = answer.json()
        detail, hint = _sentence(body["detail"]), str(body.get("hint", ""))
    except (ValueError, KeyError, TypeError):
        detail, hint = f"the gateway answered {answer.status_code}", ""
    if answer.status_code == _UNAVAILABLE:
        return TransientError(detail, hint or "ask again later")
    return CommandRefused(detail, hint)


def _sentence(detail: Any) -> str:
    if isinstance(detail, list):  # faults of single members
        return "; ".join(f"{'.'.join(map(str, one['loc'][1:]))}: {one['msg']}" for one in detail)
    return str(detail)
