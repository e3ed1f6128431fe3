"""Certificate authorities that issue what a test asks for, right or wrong, and take it back."""

import ipaddress
from collections import deque
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

BOTH_SIDES = (ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH)
CLIENT_ONLY = (ExtendedKeyUsageOID.CLIENT_AUTH,)
_DAY = timedelta(days=1)


_keys: deque[rsa.RSAPrivateKey] = deque()  # making one takes long: after this many, they come round again
_KEYS = 12


def _new_key() -> rsa.RSAPrivateKey:
    _keys.append(rsa.generate_private_key(65537, 2048) if len(_keys) < _KEYS else _keys.popleft())
    return _keys[-1]


class Issued(NamedTuple):
    """A certificate's file and its key's (named .key, but PEM)."""

    certificate: Path
    key: Path

    @property
    def serial(self) -> int:
        return x509.load_pem_x509_certificate(self.certificate.read_bytes()).serial_number


class Authority:
    """A certificate authority: its own certificate is `certificate`, all its files are in `folder`."""

    def __init__(self, folder: Path, name: str, parent: "Authority | None" = None, *, signs_lists: bool = True) -> None:
        self._folder, self._parent = folder, parent
        self._name = _named(name)
        self._key = _new_key()
        made = (
            (parent or self)
            ._builder(self._name, self._key.public_key())
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(_usage(signs=True, lists=signs_lists), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(self._key.public_key()), critical=False)
            .sign((parent or self)._key, hashes.SHA256())
        )
        self.serial = made.serial_number
        self.certificate = folder / f"{name}.pem"
        self.certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))

    def intermediate(self, name: str) -> "Authority":
        """Return an authority below this one."""
        return Authority(self._folder, name, parent=self)

    def _builder(
        self, subject: x509.Name, key: rsa.RSAPublicKey, days: float = 1, starts: int = -3
    ) -> x509.CertificateBuilder:
        now = datetime.now(UTC)
        return (
            x509.CertificateBuilder(self._name, subject, key, x509.random_serial_number())
            .not_valid_before(now + starts * _DAY)
            .not_valid_after(now + days * _DAY)
        )

    def issue(
        self,
        name: str,
        *,
        host: str | None = "127.0.0.1",
        dns: bool = False,
        uri: str = "urn:test:server",
        days: float = 1,
        starts: int = -3,
        usages: Sequence[x509.ObjectIdentifier] = BOTH_SIDES,
    ) -> Issued:
        """Return a certificate that is valid from `starts` to `days` days from now, with its authorities below it.

        Its `host` is an address, or with `dns` a name; with None nothing but the subject says whose it is.
        """
        key = _new_key()
        names: list[x509.GeneralName] = [x509.UniformResourceIdentifier(uri)]
        if host is not None:
            names.append(x509.DNSName(host) if dns else x509.IPAddress(ipaddress.ip_address(host)))
        made = (
            self._builder(_named(name), key.public_key(), days, starts)
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(signs=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage(usages), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        files = Issued(self._folder / f"{name}.pem", self._folder / f"{name}.key")
        # A server sends the authorities between it and the root along.
        below = self.certificate.read_bytes() if self._parent else b""
        files.certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM) + below)
        files.key.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        return files

    def revocations(
        self, *revoked: "Issued | Authority", days: float = 1, starts: float = -3, delta: bool = False
    ) -> bytes:
        """Return this authority's revocation list, PEM, made `starts` and to be replaced `days` days from now.

        A `delta` list has only what was revoked since another one.
        """
        now = datetime.now(UTC)
        builder = x509.CertificateRevocationListBuilder(self._name, now + starts * _DAY, now + days * _DAY)
        if delta:
            builder = builder.add_extension(x509.DeltaCRLIndicator(1), critical=True)
        for one in revoked:
            entry = x509.RevokedCertificateBuilder(one.serial, now - 2 * _DAY).build()
            builder = builder.add_revoked_certificate(entry)
        return builder.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _usage(*, signs: bool, lists: bool = False) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=not signs,
        key_encipherment=not signs,
        data_encipherment=not signs,
        key_agreement=False,
        key_cert_sign=signs,
        crl_sign=lists,
        encipher_only=False,
        decipher_only=False,
    )
