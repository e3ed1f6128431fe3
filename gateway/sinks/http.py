"""Pushes postings to a central system over HTTP.

Request   POST {url}, gzip, {"gateway", "store", "items": [the stored bytes of each posting]}
Answer    200 {"results": [{"seq": 1, "status": "booked" | "duplicate" | "rejected" | "later", "reason": …}]}

A posting is known by (gateway, store, seq): one that comes again is a `duplicate` and harmless.
"""

import asyncio
import gzip
import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Self

import httpx
import orjson
from pydantic import Field, field_validator, model_validator

from gateway.errors import ConfigError, GatewayError, Postponed, SinkRejected, TooLarge, TransientError
from gateway.ports import Delivery, Document, SinkPlugin
from gateway.settings.base import Duration, Secret, is_loopback
from gateway.settings.sink import SinkSettings
from gateway.transport.fingerprint import Fingerprint, fingerprint
from gateway.transport.tls import TlsSettings

_log = logging.getLogger(__name__)
_BOOKED = ("booked", "duplicate")
_LATER = ("later",)
_TRY_AGAIN = (408, 425, 429)  # besides every 5xx
# What a parameter of a URL is called when it is a secret.
_SECRET = re.compile(
    r"token|secret|passw|pwd|auth|credential|signature|api.?key|access.?key|^(key|sig|code)$", re.IGNORECASE
)
_LONGEST = 1000  # characters of an error or reason that has what the central system says
_SEARCHED = 16384  # characters that a token is looked for in, in the event loop
_QUOTED = 12  # characters that one of the token's becomes at most, as `_without` knows it: "&#x0000002f;"


class HttpSinkSettings(SinkSettings):
    """A central system that takes postings by POST."""

    kind: Literal["http"]
    url: str = Field(description="http(s)://host:port/path")
    token: Secret | None = Field(default=None, description="sent as Authorization: Bearer …")
    timeout: Duration = Field(default=10.0, gt=0, description="silence after which a request is sent again")
    tls: TlsSettings = Field(default_factory=TlsSettings, description="for https://: whom to believe, who we are")
    allow_plaintext_token: bool = Field(
        default=False, description="send the token over http:// to another machine although nothing is encrypted"
    )

    @field_validator("url")
    @classmethod
    def _is_http(cls, value: str) -> str:
        try:
            url = httpx.URL(value)
        except httpx.InvalidURL as error:
            raise ValueError(f"{value!r} is no URL: {error}") from error
        if url.scheme not in ("http", "https") or not url.host:
            raise ValueError(f"{value!r} is no http(s)://host:port/path")
        if url.userinfo:
            raise ValueError("a URL carries no user or password here; use token: {file: …}")
        secret = next((name for name in url.params if _SECRET.search(name)), None)
        if secret:
            raise ValueError(
                f"{secret}=… in a URL stands in logs; use token: {{file: …}}, sent as Authorization: Bearer"
            )
        return value

    @model_validator(mode="after")
    def _is_secure(self) -> Self:
        if "tls" in self.model_fields_set and not self.url.startswith("https:"):
            raise ValueError(f"tls needs an https:// url, not {self.url}")
        if self.token and self._in_the_clear and not self.allow_plaintext_token:
            raise ValueError(
                "http:// would send the token to another machine in the clear; use https://, a proxy on this machine, "
                "or write allow_plaintext_token: true"
            )
        return self

    @property
    def _in_the_clear(self) -> bool:
        url = httpx.URL(self.url)
        return url.scheme == "http" and not is_loopback(url.host)

    @property
    def unsafe(self) -> str:
        """What anybody on the network can read."""
        if not self._in_the_clear:
            return ""
        return f"{'the token and ' if self.token else ''}all postings go to {self.url} in the clear"


@dataclass(frozen=True, slots=True)
class _Access:
    """What a connection is made with; another one as soon as any of it was renewed."""

    token: str = field(repr=False)
    files: Fingerprint

    @classmethod
    def now(cls, settings: HttpSinkSettings) -> Self:
        return cls(_token(settings), fingerprint(*settings.tls.files))


class HttpSink:
    """Keeps one connection to the central system alive."""

    def __init__(self, settings: HttpSinkSettings) -> None:
        if settings.unsafe:
            _log.warning("sink %s: %s", settings.sink, settings.unsafe)
        self._url = settings.url
        self._settings = settings
        self._access = _Access.now(settings)
        self._client = _client(settings, self._access.token)
        self._renew = False  # after a failure

    async def deliver(self, gateway: str, store: str, documents: Sequence[Document]) -> Delivery:
        """Post them in one request; the answer's word on each seq is the delivery. ConfigError: of a renewed file."""
        body = await asyncio.to_thread(_pack, gateway, store, documents)
        key = f"{gateway}:{store}:{documents[0].seq}-{documents[-1].seq}"
        await self._keep_current()
        try:
            delivery = await self._ask(body, key)
        except GatewayError as error:
            error.message = self._shown(error.message)
            error.args = (error.message,)
            raise
        return Delivery(delivery.delivered, {seq: self._shown(why) for seq, why in delivery.rejected.items()})

    def _shown(self, said: str) -> str:
        """Return what goes on from here to logs and pages: some answer with what they were asked with."""
        token = self._access.token
        torn = _QUOTED * len(token)
        clean = _without(token, said[: _SEARCHED + torn])
        if len(said) > _SEARCHED + torn:  # a token may have been cut, and not be found: what could be its beginning
            clean = clean[: max(0, len(clean) - torn)]
        return clean[:_LONGEST]

    async def _keep_current(self) -> None:
        """Connect anew after a failure, and once a file was renewed: token, certificate, revocation list.

        The server may have hung up meanwhile: the next request is then a handshake, by a list read long ago.
        """
        access = await asyncio.to_thread(_Access.now, self._settings)
        if access == self._access and not self._renew:
            return
        old, self._client = self._client, await asyncio.to_thread(_client, self._settings, access.token)
        self._access, self._renew = access, False
        await old.aclose()

    async def _ask(self, body: bytes, key: str) -> Delivery:
        with self._settings.tls.explained():
            answer = await self._post(body, key)
        _raise_for(answer)
        return _delivery(answer)

    async def _post(self, body: bytes, key: str) -> httpx.Response:
        try:
            return await self._client.post(self._url, content=body, headers={"Idempotency-Key": key})
        except httpx.HTTPError as error:
            self._renew = True
            raise TransientError(f"{self._url} did not answer: {str(error) or type(error).__name__}") from error

    async def close(self) -> None:
        """Close the connection."""
        await self._client.aclose()


def _client(settings: HttpSinkSettings, token: str) -> httpx.AsyncClient:
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip", "Accept": "application/json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    return httpx.AsyncClient(
        headers=headers,
        timeout=settings.timeout,
        verify=settings.tls.context(),
        trust_env=False,  # a proxy that nobody configured here must not see postings
    )


def _token(settings: HttpSinkSettings) -> str:
    if settings.token is None:
        return ""
    try:
        token = settings.token.read()
    except ConfigError as error:
        raise ConfigError(f"sink {settings.sink}, token: {error.message}", error.hint) from error
    if not (token and token.isascii() and token.isprintable()):
        raise ConfigError(f"sink {settings.sink}: the token is empty or no single line of ASCII")
    return token


def _pack(gateway: str, store: str, documents: Sequence[Document]) -> bytes:
    head = orjson.dumps({"gateway": gateway, "store": store})[:-1]
    items = b",".join(document.body for document in documents)
    # mtime=0: the same postings are the same bytes whenever they are sent.
    return gzip.compress(b'%s,"items":[%s]}' % (head, items), compresslevel=3, mtime=0)


def _without(token: str, said: str) -> str:
    # "/" comes back from JSON as "\\/" or "\\u002f", from HTML as "&#47;", from a form as "%2F".
    forms = (
        one
        if one.isalnum()
        else rf"(?:\\?{re.escape(one)}|(?:%|\\x|\\u00|&#x0{{0,6}}){ord(one):02x};?|&#0{{0,6}}{ord(one)};)"
        for one in token
    )
    return re.sub("".join(forms), "(token)", said, flags=re.IGNORECASE) if token else said


def _raise_for(answer: httpx.Response) -> None:
    if answer.is_success:
        return
    said = f"{answer.url} answered {answer.status_code} {answer.reason_phrase}: {answer.text}"
    if answer.status_code == httpx.codes.REQUEST_ENTITY_TOO_LARGE:
        raise TooLarge(said, "smaller requests are tried; set batch lower")
    if answer.status_code in _TRY_AGAIN or answer.is_server_error:
        raise _again(said, answer.headers.get("Retry-After", ""))
    raise SinkRejected(said, "it is asked again at the longest pause; check url, token and what the other side logs")


def _again(said: str, retry_after: str) -> TransientError:
    return Postponed(said, float(retry_after)) if retry_after.isdecimal() else TransientError(said)


def _delivery(answer: httpx.Response) -> Delivery:
    delivered: set[int] = set()
    rejected: dict[int, str] = {}
    for seq, status, reason in _results(answer):
        if status in _BOOKED:
            delivered.add(seq)
        elif status == "rejected":
            rejected[seq] = reason
        elif status not in _LATER:
            raise SinkRejected(f"{answer.url} answered an unknown status {status!r} for seq {seq}")
    return Delivery(frozenset(delivered), rejected)


def _results(answer: httpx.Response) -> list[tuple[int, str, str]]:
    try:
        results: Any = orjson.loads(answer.content)["results"]
        return [(int(one["seq"]), str(one["status"]), _reason(one)) for one in results]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise SinkRejected(
            f"{answer.url} answered {answer.status_code} with something that is no list of results",
            'it should answer {"results": [{"seq": 1, "status": "booked"}]}',
        ) from error


def _reason(result: dict[str, Any]) -> str:
    return str(result.get("reason") or "no reason was given")


PLUGIN = SinkPlugin("http", HttpSinkSettings, HttpSink)
