"""Whom an OPC UA client believes, and who it says it is.

asyncua believes any server unless it is told otherwise: a policy encrypts, but to whoever answered. So a
secure connection always has either a folder of trusted certificates or one pinned certificate.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from asyncua import ua
from asyncua.client.client import Client
from asyncua.crypto import security_policies
from asyncua.crypto.truststore import TrustStore
from asyncua.crypto.uacrypto import CertProperties
from asyncua.crypto.validator import CertificateValidator, CertificateValidatorOptions
from cryptography import x509

from gateway.errors import ConfigError
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
    password: str | None = None


async def secure(client: Client, security: Security) -> None:
    """Prepare `client` before it connects; ConfigError for unusable files, asyncua's errors for the server."""
    if security.policy == "None":
        return
    if security.certificate is None or security.private_key is None:
        raise ConfigError(f"security policy {security.policy} has no certificate and key of ours")
    if security.trust is not None:
        client.certificate_validator = await _validator(security.trust, security.revoked)
    client.application_uri = _application_uri(security.certificate)
    await client.set_security(
        _POLICIES[security.policy],
        certificate=_file(security.certificate),
        private_key=_file(security.private_key),
        server_certificate=_file(security.server_certificate) if security.server_certificate else None,
        mode=ua.MessageSecurityMode[security.mode],
    )
    if security.user is not None and security.password is not None:
        client.set_user(security.user)
        client.set_password(security.password)


def _file(path: Path) -> CertProperties:
    # Told by its content: a PEM key that is named .key would be read as DER.
    return CertProperties(path, extension="pem" if is_pem(path) else "der")


async def _validator(trust: Path, revoked: Path | None) -> CertificateValidator:
    store = TrustStore([trust], [revoked] if revoked else [])
    try:
        await store.load()
    except ValueError as error:
        raise ConfigError(
            f"{trust} has no usable certificate: {error}", "put the server's .pem or .der there"
        ) from error
    return CertificateValidator(
        CertificateValidatorOptions.TRUSTED_VALIDATION | CertificateValidatorOptions.PEER_SERVER, store
    )


def _application_uri(path: Path) -> str:
    """Return the URI in our certificate: a server refuses a client that calls itself something else."""
    content = path.read_bytes()
    try:
        certificate = (x509.load_pem_x509_certificate if is_pem(path) else x509.load_der_x509_certificate)(content)
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        return names.get_values_for_type(x509.UniformResourceIdentifier)[0]
    except (ValueError, x509.ExtensionNotFound, IndexError) as error:
        raise ConfigError(
            f"{path} names no application URI", "OPC UA certificates carry one as subjectAltName"
        ) from error
