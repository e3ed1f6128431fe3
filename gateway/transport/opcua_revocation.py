"""Whether an authority took a certificate back: what a folder of revocation lists says, at the gateway's own time."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from cryptography import x509

from gateway.domain.clock import to_the_second

_WITHOUT = "without it nobody would notice a revocation"


class Fault(NamedTuple):
    """What is wrong, beginning with OPC UA's name for it, and the way out."""

    why: str
    way_out: str


@dataclass(frozen=True, slots=True)
class Revocations:
    """The lists in `folder`; whatever they don't answer is a fault."""

    folder: Path
    lists: tuple[x509.CertificateRevocationList, ...]

    def fault(
        self, certificate: x509.Certificate, issuer: x509.Certificate | None, now: datetime, *, server: bool
    ) -> Fault | None:
        """Return why `certificate` isn't believed: of a server, or of an authority above one; None where it is."""
        whose = "" if server else "Issuer"
        if issuer is None:
            return Fault(
                f"BadCertificate{whose}RevocationUnknown: {name(certificate)} was issued by "
                f"{certificate.issuer.rfc4514_string()}, whose lists nobody here can check",
                "put that authority's certificate into trust, too; or pin the server (server_certificate) and take "
                "revoked away",
            )
        current, why = self._current(issuer, now)
        if current is None:
            fetch = f"fetch the present list of {name(issuer)} into {self.folder} (revoked); {_WITHOUT}"
            return Fault(f"BadCertificate{whose}RevocationUnknown: {why}", fetch)
        if current.get_revoked_certificate_by_serial_number(certificate.serial_number) is not None:
            return Fault(f"BadCertificate{whose}Revoked: {name(certificate)} was revoked", "have a new one issued")
        return None

    def _current(self, issuer: x509.Certificate, now: datetime) -> tuple[x509.CertificateRevocationList | None, str]:
        """Return the authority's newest list that is valid; None and why, where it has none."""
        whose = name(issuer)
        if not _may_sign_lists(issuer):
            return None, f"{whose} may not sign revocation lists: its certificate says so"
        key: Any = issuer.public_key()  # one that signed a certificate
        theirs = [one for one in self.lists if one.issuer == issuer.subject and one.is_signature_valid(key)]
        whole = [one for one in theirs if not any(extension.critical for extension in one.extensions)]
        if not whole:
            # RFC 5280, 5.2: what is critical and not understood, such as in a delta list, says that it isn't all.
            return None, f"{self.folder} (revoked) has no {'whole ' if theirs else ''}list of {whose}"
        begun = [one for one in whole if one.last_update_utc <= now]
        if not begun:
            begins = min(one.last_update_utc for one in whole)
            return None, f"the list of {whose} is not valid before {to_the_second(begins)}; {clock(now)}"
        newest = max(begun, key=lambda one: one.last_update_utc)
        if newest.next_update_utc is not None and newest.next_update_utc < now:
            return None, f"the list of {whose} expired {to_the_second(newest.next_update_utc)}; {clock(now)}"
        return newest, ""


def _may_sign_lists(issuer: x509.Certificate) -> bool:
    try:
        return issuer.extensions.get_extension_for_class(x509.KeyUsage).value.crl_sign
    except x509.ExtensionNotFound:
        return True


def name(certificate: x509.Certificate) -> str:
    """Return whom a certificate is of."""
    return certificate.subject.rfc4514_string()


def clock(now: datetime) -> str:
    """Return what the gateway reckons with: without a battery its clock may be years behind."""
    return f"the gateway's own clock says {to_the_second(now)}"
