"""Until when certificates and revocation lists are good, and from when on somebody should see to it."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, NamedTuple

from cryptography import x509

from gateway.transport.handshake import revocation_lists

_SOON: Final = timedelta(days=7)  # before a certificate or list ends …
_SHARE: Final = 5  # … or the last fifth of a shorter life: lists are often made for a day
_BUNDLE: Final = 20  # certificates: so many are an operating system's, and which of them matter nobody can say


class Life(NamedTuple):
    """When a certificate or revocation list (`what`, with whose it is) begins and ends."""

    what: str
    begin: datetime
    end: datetime

    @property
    def warned(self) -> datetime:
        """From when on its end is told of."""
        return self.end - min(_SOON, (self.end - self.begin) / _SHARE)


def lives(path: Path) -> tuple[Life, ...]:
    """Return what is in a file or folder, PEM or DER, the newest of each name.

    What can't be read is left out: who uses it says so.
    """
    found: dict[str, Life] = {}
    for one in sorted((life for file in _files(path) for life in _of(file)), key=lambda life: life.end):
        found[one.what] = one
    return tuple(found.values())


def _files(path: Path) -> list[Path]:
    try:
        return sorted(path.iterdir()) if path.is_dir() else [path]
    except OSError:
        return []


def _of(file: Path) -> list[Life]:
    for read in (_pem_certificates, revocation_lists, _der_certificate, _der_list):
        try:
            found = read(file)
        except (OSError, ValueError):
            continue
        if found:
            return [_life(one) for one in found] if len(found) <= _BUNDLE else []
    return []


def _pem_certificates(file: Path) -> list[x509.Certificate]:
    return x509.load_pem_x509_certificates(file.read_bytes())


def _der_certificate(file: Path) -> list[x509.Certificate]:
    return [x509.load_der_x509_certificate(file.read_bytes())]


def _der_list(file: Path) -> list[x509.CertificateRevocationList]:
    return [x509.load_der_x509_crl(file.read_bytes())]


def _life(one: x509.Certificate | x509.CertificateRevocationList) -> Life:
    if isinstance(one, x509.Certificate):
        return Life(
            f"the certificate of {one.subject.rfc4514_string()}", one.not_valid_before_utc, one.not_valid_after_utc
        )
    end = one.next_update_utc or datetime.max.replace(tzinfo=one.last_update_utc.tzinfo)  # never
    return Life(f"the revocation list of {one.issuer.rfc4514_string()}", one.last_update_utc, end)
