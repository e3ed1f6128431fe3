"""The running gateway as the commands see it: its address from the configuration, its token from beside the store."""

import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import typer

from gateway.api.commands import name_of
from gateway.cli.plain import plain
from gateway.errors import CommandRefused, GatewayError, TransientError
from gateway.runtime.bootstrap import load_config
from gateway.runtime.local_token import local_token_path
from gateway.settings.load import Config

_PATIENCE = 2.0  # seconds the daemon may take to show how it is
_WORK = 120.0  # seconds a command may take: closing an order posts what waits
_UNAVAILABLE = 503

Give = Callable[..., Any]  # (command, body, signature=None) → the result, errors as of `send`


def ask(config: Config, path: str) -> dict[str, Any] | None:
    """Return what the running daemon answers to a GET, None when none answers."""
    try:
        with _client(config, _PATIENCE) as client:
            answer = client.get(path)
        answer.raise_for_status()
        body: dict[str, Any] = answer.json()
    except (OSError, httpx.HTTPError, ValueError):
        return None
    return body


def send(config_dir: Path, command: type, body: Mapping[str, Any], signature: Mapping[str, str] | None = None) -> Any:
    """Have the running daemon carry out a command; return its result.

    CommandRefused with the daemon's reason and hint, TransientError when none answers.
    """
    with sending(config_dir) as give:
        return give(command, body, signature)


@contextmanager
def sending(config_dir: Path) -> Iterator[Give]:
    """Yield what gives the running daemon one command after the other, over one connection."""
    config = load_config(config_dir)
    unreachable = TransientError(
        f"no gateway answers at {config.gateway.api.listen}", f"start it: gateway run {config_dir}"
    )
    try:
        with _client(config, _WORK) as client:
            yield lambda *given: _give(client, *given)
    except (OSError, httpx.HTTPError) as error:
        raise unreachable from error


def _give(
    client: httpx.Client, command: type, body: Mapping[str, Any], signature: Mapping[str, str] | None = None
) -> Any:
    said = {name: value for name, value in body.items() if value is not None}
    answer = client.post(
        f"/api/v1/commands/{name_of(command)}", json={**said, "signature": signature and dict(signature)}
    )
    if answer.is_success:
        return answer.json()["result"]
    raise _refusal(answer)


def entry(config_dir: Path, exception: int) -> dict[str, Any]:
    """Return an open entry of the work list as the API shows it; empty where none of that number is open."""
    page = f"/api/v1/exceptions?after={max(0, exception - 1)}&limit=1"
    answer = ask(load_config(config_dir), page) or {"exceptions": []}
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
    answer = ask(load_config(config_dir), "/api/v1/exceptions") or {"exceptions": []}
    waiting = [one for one in answer["exceptions"] if one["scope"] == [order, operation]]
    return "".join(f"; waiting in exception {one['id']}: {plain(one['reason'])}" for one in waiting)


def _client(config: Config, patience: float) -> httpx.Client:
    token = local_token_path(config.store_path).read_text("utf-8")
    return httpx.Client(
        base_url=f"{config.gateway.api.scheme}://{config.gateway.api.listen}",
        verify=_ourselves(config),
        headers={"Authorization": f"Bearer {token}"},
        timeout=patience,
        trust_env=False,  # the token is for this machine, not for a proxy
    )


def _ourselves(config: Config) -> ssl.SSLContext | bool:
    """Return who answers for us: whoever has the key of the certificate in the configuration, by whatever name."""
    if config.gateway.api.tls is None:
        return False  # plain HTTP: a context would take its time for nothing
    context = ssl.create_default_context(cafile=config.gateway.api.tls.certificate)
    context.check_hostname = False
    context.verify_flags |= ssl.VerifyFlags.VERIFY_X509_PARTIAL_CHAIN
    return context


def _refusal(answer: httpx.Response) -> GatewayError:
    try:
        body = answer.json()
        detail, hint = body["detail"], body.get("hint", "")
    except (ValueError, KeyError, TypeError):
        detail, hint = f"the gateway answered {answer.status_code}", ""
    if isinstance(detail, list):  # faults of single members
        detail = "; ".join(f"{'.'.join(map(str, one['loc'][1:]))}: {one['msg']}" for one in detail)
    if answer.status_code == _UNAVAILABLE:
        return TransientError(detail, hint or "ask again later")
    return CommandRefused(detail, hint)
