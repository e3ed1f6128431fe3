"""Where the HTTP API listens, and who may ask it for what."""

import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, field_validator, model_validator

from gateway.settings.base import ExistingPath, Settings, is_loopback

Role = Literal["viewer", "operator", "supervisor", "quality", "erp", "admin"]

_LISTEN = re.compile(r"(?P<host>\[[0-9a-fA-F:]+\]|[^:\[\]/\s]+):(?P<port>\d{1,5})")


class TokenSettings(Settings):
    """A bearer token, known only by its hash: `gateway token NAME ROLE` makes one."""

    name: str = Field(min_length=1, description="who it was given to; stands in the audit trail")
    role: Role = Field(description="what it may ask for")
    sha256: str = Field(pattern="^[0-9a-f]{64}$", description="SHA-256 of the token, hexadecimal")
    expires: Annotated[AwareDatetime, Field(strict=False)] | None = Field(
        default=None, description="with a time zone, e.g. 2027-12-31T00:00:00Z; it is refused from then on"
    )


class ApiTlsSettings(Settings):
    """The API's certificate, and whose certificates its clients show. SIGHUP reads renewed files."""

    certificate: ExistingPath = Field(description="PEM, with what is between it and its authority")
    private_key: ExistingPath = Field(description="of the certificate, PEM, without a passphrase")
    client_ca: ExistingPath | None = Field(
        default=None, description="PEM; a token of role erp then counts only with a client certificate signed by it"
    )
    client_crl: ExistingPath | None = Field(
        default=None, description="PEM, a current revocation list of every authority in client_ca"
    )

    @model_validator(mode="after")
    def _lists_of_authorities(self) -> "ApiTlsSettings":
        if self.client_crl and not self.client_ca:
            raise ValueError("client_crl needs client_ca: the authorities whose lists they are")
        return self


class ApiSettings(Settings):
    """Loopback unless told otherwise; for others with TLS, its own or that of a proxy on this machine."""

    listen: str = Field(default="127.0.0.1:8080", description="address:port, IPv6 in brackets; port 0 takes a free one")
    tls: ApiTlsSettings | None = Field(default=None, description="answer by https:// only")
    allow_plaintext: bool = Field(
        default=False, description="let other machines send tokens and passwords although nothing is encrypted"
    )
    tokens: list[TokenSettings] = Field(default=[], description="without any, only /healthz and /readyz answer")
    users: str = Field(
        default="users.yaml",
        min_length=1,
        description="who may sign, relative to this folder; `gateway user` writes it, it may be missing",
    )

    @field_validator("listen")
    @classmethod
    def _address_and_port(cls, value: str) -> str:
        match = _LISTEN.fullmatch(value)
        if match is None or int(match["port"]) > 65535:  # noqa: PLR2004 - the highest TCP port
            raise ValueError(f"{value!r} is no address:port; write for example 127.0.0.1:8080")
        return value

    @model_validator(mode="after")
    def _tokens_are_distinct(self) -> "ApiSettings":
        for what in ("name", "sha256"):
            seen = [getattr(token, what) for token in self.tokens]
            twice = sorted({one for one in seen if seen.count(one) > 1})
            if twice:
                raise ValueError(f"two tokens have the same {what}: {', '.join(twice)}")
        return self

    @model_validator(mode="after")
    def _is_secure(self) -> "ApiSettings":
        if self._in_the_clear and not self.allow_plaintext:
            raise ValueError(
                f"at {self.listen} tokens and passwords would come in the clear; give tls: {{certificate: …, "
                "private_key: …}, listen on 127.0.0.1 behind a proxy, or write allow_plaintext: true"
            )
        return self

    @property
    def _in_the_clear(self) -> bool:
        return self.tls is None and not is_loopback(self.host)

    @property
    def unsafe(self) -> str:
        """What anybody on the network can read, as a sentence; empty where that is nothing."""
        return f"tokens and passwords come to {self.listen} in the clear" if self._in_the_clear else ""

    @property
    def scheme(self) -> str:
        """How it is asked."""
        return "https" if self.tls else "http"

    @property
    def host(self) -> str:
        """The address to listen on, without brackets."""
        return self.listen.rpartition(":")[0].strip("[]")

    @property
    def port(self) -> int:
        """The TCP port to listen on."""
        return int(self.listen.rpartition(":")[2])

    def users_file(self, root: Path) -> Path:
        """Return where the users stand; `root` is the configuration's folder."""
        return root / self.users
