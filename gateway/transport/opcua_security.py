"""Whom an OPC UA client believes, and who it says it is.

asyncua believes any server unless it is told otherwise: a policy encrypts, but to whoever answered. So a
secure connection always has either a folder of trusted certificates or one pinned certificate.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from asyncua import ua
from asyncua.client.client import Client
from asyncua.crypto import security_policies
from asyncua.crypto.uacrypto import CertProperties
from cryptography import x509

from gateway.errors import ConfigError
from gateway.transport.opcua_trust import Trust, load_certificate
from gateway.transport.tls import is_pem

_POLICIES: Final[dict[str, Any]] = {
    "Basic256Sha256": security_policies.SecurityPolicyBasic256Sha256,
    "Aes128_Sha256_RsaOaep": security_policies.SecurityPolicyAes128Sha256RsaOaep,
    "Aes256_Sha256_RsaPss": security_policies.SecurityPolicyAes256Sha256RsaPss,
}


@dataclass(frozen=True, slots=True)
class Security:
    """A policy with its certificate, key, and whom to believe; or `None`, and then nothing else is given."""

    policy: str
    mode: str = "SignAndEncrypt"
    certificate: Path | None = None
    private_key: Path | None = None
    trust: Path | None = None
    revoked: Path | None = None
    server_certificate: Path | None = None
    user: str | None = None
    password: str | None = field(default=None, repr=False)


async def secure(client: Client, security: Security, now: Callable[[], datetime]) -> None:
    """Prepare `client` before it connects; ConfigError for unusable files, asyncua's errors for the server.

    `now` is the gateway's clock, which validity is judged by.
    """
    if security.policy == "None":
        return
    if security.certificate is None or security.private_key is None:
        raise ConfigError(f"security policy {security.policy} has no certificate and key of ours")
    host = client.server_url.hostname or ""
    client.certificate_validator = await asyncio.to_thread(
        Trust.read, host, now, security.trust, security.revoked, security.server_certificate
    )
    client.application_uri = _application_uri(security.certificate)
    await client.set_security(
        _POLICIES[security.policy],
        certificate=_file(security.certificate),
        private_key=_file(security.private_key),
        mode=ua.MessageSecurityMode[security.mode],
    )
    if security.user is not None and security.password is not None:
        client.set_user(security.user)
        client.set_password(security.password)


def _file(path: Path) -> CertProperties:
    # Told by its content: a PEM key that is named .key would be read as DER.
    return CertProperties(path, extension="pem" if is_pem(path) else "der")


def _application_uri(path: Path) -> str:
    """Return the URI in our certificate: a server refuses a client that calls itself something else."""
    try:
        names = load_certificate(path).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        return names.get_values_for_type(x509.UniformResourceIdentifier)[0]
    except (x509.ExtensionNotFound, IndexError) as error:
        raise ConfigError(
            f"{path} names no application URI", "OPC UA certificates carry one as subjectAltName"
        ) from error
