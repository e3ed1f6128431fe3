"""Why a TLS handshake failed, and what to do: OpenSSL says neither whose list expired nor which authority it misses."""

import re
import ssl
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NamedTuple

from cryptography import x509

from gateway.domain.clock import to_the_second

_RENEW_THERE = "have it renewed there; if it is valid, this machine's clock is wrong"
_RENEW_LIST = "fetch the authority's current list into {crl}; without it nobody would notice a revocation"
_LONG_ENOUGH = "an RSA key of 2048 bits or more, or one of an elliptic curve of 224 or more"
# OpenSSL's X509_V_ERR_…: what is wrong with the other side's certificate, and the way out.
_UNBELIEVABLE: Final[dict[int, tuple[str, str]]] = {
    2: ("the certificate of who issued its authority isn't known here{detail}", "put that one into {ca}, too"),
    3: ("there is no revocation list of its authority{detail}", _RENEW_LIST),
    9: ("its certificate is not valid yet", _RENEW_THERE),
    10: ("its certificate has expired", _RENEW_THERE),
    11: ("a revocation list is not valid yet{detail}", "check this machine's clock, then {crl}"),
    12: ("a revocation list has expired{detail}", _RENEW_LIST),
    18: ("its certificate is self-signed and not trusted", "put that certificate into {ca}, if it is the right one"),
    19: ("its authority isn't trusted here", "put the authority's certificate into {ca}"),
    20: ("its authority isn't known here", "put the authority's certificate into {ca}"),
    21: ("its authority isn't known here", "put the authority's certificate into {ca}"),
    23: ("its certificate was revoked", "{crl} says so: have a new one issued for it"),
    26: ("its certificate is not for a {other}", "have one issued for {other} authentication"),
    62: (
        "its certificate is for another host",
        "use the name in its certificate, or have one issued for this name (as subjectAltName)",
    ),
    64: ("its certificate is for another address", "use the name in its certificate, or have one issued for this one"),
    66: ("its key is too short", f"have a certificate issued for {_LONG_ENOUGH}"),
    67: (
        "its authority's key is too short",
        f"have that authority renewed with {_LONG_ENOUGH}, and put it into {{ca}}",
    ),
    68: (
        "its certificate, or its authority's, is signed with SHA-1 or MD5, which can be forged",
        "have that one issued anew, signed with SHA-256",
    ),
}
_OURS = "the other side does not take our certificate {certificate}: it has to be valid, and signed by whom it trusts"
# By what OpenSSL calls the error, the first that is found in it.
_ENDED: Final = {
    "PROTOCOL_VERSION|UNSUPPORTED_PROTOCOL": "there is no version of TLS in common: have the {other} take 1.2 or newer",
    "ALERT_.*CERT|ALERT_UNKNOWN_CA|ALERT_ACCESS_DENIED|ALERT_DECRYPT_ERROR": _OURS,
    "ALERT_HANDSHAKE_FAILURE": f"{_OURS}; or the two have no cipher in common",
    "ALERT": "the log of the {other} says why",
    "": "does it speak TLS on this port?",
}
_LIST: Final = re.compile(rb"-----BEGIN X509 CRL-----.+?-----END X509 CRL-----", re.DOTALL)


class Files(NamedTuple):
    """Whom one side believes, and who it is; None where it has none. `setting` is what stands before their names."""

    setting: str
    ca: Path | None
    crl: Path | None
    certificate: Path | None
    ca_name: str = "ca"
    crl_name: str = "crl"

    @property
    def named(self) -> dict[str, str]:
        """How a way out calls them."""
        ca, crl = f"{self.setting}.{self.ca_name}", f"{self.setting}.{self.crl_name}"
        ours = f"{self.setting}.certificate"
        return {
            "ca": f"{self.ca} ({ca})" if self.ca else f"a file, and that into {ca}",
            "crl": f"{self.crl} ({crl})",
            "certificate": f"{self.certificate} ({ours})" if self.certificate else f"(none: {ours})",
        }


def explain(error: ssl.SSLError, files: Files, *, other: str) -> tuple[str, str]:
    """Return why it failed, empty where the error says it, and the way out. `other` is who isn't believed."""
    if isinstance(error, ssl.SSLCertVerificationError):
        why, way_out = _UNBELIEVABLE.get(error.verify_code, ("", "have its certificate, or ours of it, put right"))
        detail = _detail(error.verify_code, files) if "{detail}" in why else ""
        return why.format(detail=detail, other=other), way_out.format(other=other, **files.named)
    way_out = next(one for pattern, one in _ENDED.items() if re.search(pattern, error.reason or ""))
    return "", way_out.format(other=other, **files.named)


def revocation_lists(path: Path) -> list[x509.CertificateRevocationList]:
    """Return the lists of a PEM file; OSError or ValueError where it can't be read."""
    return [x509.load_pem_x509_crl(one) for one in _LIST.findall(path.read_bytes())]


def _detail(code: int, files: Files) -> str:
    """Return whose certificate or list it is, as far as the files tell."""
    try:
        authorities = x509.load_pem_x509_certificates(files.ca.read_bytes()) if files.ca else []
        whose = _WHOSE[code](authorities, revocation_lists(files.crl) if files.crl else [])
    except (OSError, ValueError):
        return ""  # replaced meanwhile
    return f": {' and '.join(sorted(whose))}" if whose else ""


def _missing_issuers(authorities: list[x509.Certificate], _lists: object) -> set[str]:
    subjects = {one.subject for one in authorities}
    return {one.issuer.rfc4514_string() for one in authorities if one.issuer not in subjects}


def _without_list(authorities: list[x509.Certificate], lists: list[x509.CertificateRevocationList]) -> set[str]:
    have = {one.issuer for one in lists}
    missing = {one.subject.rfc4514_string() for one in authorities if one.subject not in have}
    return missing or {f"the only lists are of {' and '.join(sorted(one.rfc4514_string() for one in have))}"}


def _expired(_authorities: object, lists: list[x509.CertificateRevocationList]) -> set[str]:
    return {
        f"that of {issuer}, {to_the_second(one.next_update_utc)}"
        for issuer, one in _newest(lists).items()
        if one.next_update_utc is not None and one.next_update_utc < _now()
    }


def _not_yet_valid(_authorities: object, lists: list[x509.CertificateRevocationList]) -> set[str]:
    return {
        f"that of {issuer}, before {to_the_second(one.last_update_utc)}"
        for issuer, one in _newest(lists).items()
        if one.last_update_utc > _now()
    }


def _newest(lists: list[x509.CertificateRevocationList]) -> dict[str, x509.CertificateRevocationList]:
    return {one.issuer.rfc4514_string(): one for one in sorted(lists, key=lambda one: one.last_update_utc)}


def _now() -> datetime:
    return datetime.now(UTC)  # OpenSSL has judged by that clock, too


_WHOSE: Final[dict[int, Callable[[list[x509.Certificate], list[x509.CertificateRevocationList]], set[str]]]] = {
    2: _missing_issuers,
    3: _without_list,
    11: _not_yet_valid,
    12: _expired,
}
