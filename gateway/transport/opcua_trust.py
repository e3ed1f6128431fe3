"""Whether an OPC UA server's certificate is believed, and if not, why and what to do about it.

asyncua's own check knows neither hosts, nor the dates, authorities and signatures of revocation lists, nor
revoked intermediates; and its answer is a number.
"""

from collections.abc import Callable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_address
from itertools import pairwise
from pathlib import Path
from typing import TypeVar

from asyncua import ua
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509 import verification
from cryptography.x509.oid import ExtendedKeyUsageOID

from gateway.domain.clock import to_the_second
from gateway.errors import ConfigError, TransientError
from gateway.transport.fingerprint import in_folder
from gateway.transport.opcua_revocation import Fault, Revocations, clock, name
from gateway.transport.tls import is_pem

T = TypeVar("T")

_RENEW = "have it renewed there; if that time is wrong, set the gateway's clock"
_ISSUE = "have one issued as OPC UA wants it, or pin it: server_certificate"
# Part 6, 6.2.2: what a key of an application has to be allowed for.
_USES = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment")
_FEWEST_BITS = 2048  # of an RSA key: Part 7's policies ask for no fewer, and fewer can be broken


@dataclass(frozen=True, slots=True)
class Trust:
    """Whom to believe at `host`: certificates of servers or authorities in `folder`, or the one that is `pinned`.

    `revocations` are None where nobody asked for them. `now` is the gateway's clock (UTC), which what is valid is
    judged by: without a battery it may be years behind, so each fault shows it.
    """

    host: str
    now: Callable[[], datetime]
    folder: Path | None = None
    certificates: tuple[x509.Certificate, ...] = ()
    revocations: Revocations | None = None
    pinned: x509.Certificate | None = None

    @classmethod
    def read(  # what is given of whom to believe
        cls, host: str, now: Callable[[], datetime], folder: Path | None, revoked: Path | None, pinned: Path | None
    ) -> "Trust":
        """Return what the files say; ConfigError for one that can't be read, and where they trust nobody."""
        if folder is None and pinned is None:
            raise ConfigError("nobody is trusted", "give trust or server_certificate")
        certificates = _all(folder, x509.load_pem_x509_certificates, x509.load_der_x509_certificate)
        if folder and not certificates:
            raise ConfigError(f"{folder} has no usable certificate", "put the server's .pem or .der there")
        lists = _all(revoked, lambda data: [x509.load_pem_x509_crl(data)], x509.load_der_x509_crl)
        one = load_certificate(pinned) if pinned else None
        return cls(host, now, folder, certificates, Revocations(revoked, lists) if revoked else None, one)

    async def __call__(self, certificate: x509.Certificate, server: ua.ApplicationDescription) -> None:
        """Be asyncua's validator, after the channel proved its key and before anybody logs in; TransientError."""
        for fault in self.faults(certificate, str(server.ApplicationUri)):
            raise TransientError(f"the server at {self.host} is not believed: {fault.why}", fault.way_out)

    def faults(self, certificate: x509.Certificate, application: str) -> Iterator[Fault]:
        """Yield what is wrong with a server's certificate, the easiest to explain first; nothing where it is right."""
        now = self.now()
        yield from _dates(certificate, now)
        yield from _key(certificate)
        if self.pinned is None:
            yield from _extensions(certificate, application)
            yield from self._host(certificate)
        elif certificate != self.pinned:  # whoever pins one knows whose it is: what it says of that doesn't matter
            yield Fault(
                f"BadCertificateUntrusted: it shows {name(certificate)}, not the pinned certificate",
                "put the server's present certificate into the file of server_certificate, if it is the right one",
            )
        if self.folder is not None:
            yield from self._chain(certificate, now)

    def _host(self, certificate: x509.Certificate) -> Iterator[Fault]:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        # Part 4, 7.3: a host name may be a numeric address, and many a PLC has its own as dNSName.
        hosts = [_canonical(one) for one in names.get_values_for_type(x509.DNSName)]
        hosts += [str(one) for one in names.get_values_for_type(x509.IPAddress)]
        if _canonical(self.host) not in hosts:
            yield Fault(
                f"BadCertificateHostNameInvalid: its certificate is for {', '.join(hosts) or 'no host'}",
                "use such a host in endpoint, have one issued for this host, or pin it: server_certificate",
            )

    def _chain(self, certificate: x509.Certificate, now: datetime) -> Iterator[Fault]:
        known = verification.Store(list(self.certificates))
        verifier = _policies().store(known).time(now).build_client_verifier()
        try:
            chain = list(verifier.verify(certificate, []).chain)
        except verification.VerificationError as error:
            yield self._unknown(certificate, error, now)
            return
        if self.revocations:
            chain = self._upwards(chain)  # what is trusted itself may be revoked by who issued it
            # The last one was issued by itself, or by somebody who isn't known here.
            last = () if _signed(chain[-1], chain[-1]) else ((chain[-1], None),)
            for one, above in (*pairwise(chain), *last):
                if fault := self.revocations.fault(one, above, now, server=one is chain[0]):
                    yield fault

    def _upwards(self, chain: list[x509.Certificate]) -> list[x509.Certificate]:
        """Return the chain with who is known to be above it."""
        while issuer := _issuer(chain[-1], set(self.certificates).difference(chain)):
            chain = [*chain, issuer]
        return chain

    def _unknown(self, certificate: x509.Certificate, error: Exception, now: datetime) -> Fault:
        for issuer in self._upwards([certificate])[1:]:
            if fault := next(_dates(issuer, now), None):
                return Fault(
                    f"BadCertificateIssuerTimeInvalid: its authority {name(issuer)} {fault.why.partition(': ')[2]}",
                    f"put the authority's renewed certificate into {self.folder} (trust); if that time is wrong, set "
                    "the gateway's clock",
                )
        return Fault(
            f"BadCertificateUntrusted: nothing in {self.folder} (trust) vouches for {name(certificate)}: {error}"
            f"; {clock(now)}",
            f"put it, or its authority's certificate, into {self.folder}, if it is the right one",
        )


def load_certificate(path: Path) -> x509.Certificate:
    """Return the first certificate of a PEM or DER file; ConfigError where it has none."""
    found = _read(path, x509.load_pem_x509_certificates, x509.load_der_x509_certificate)
    return found[0]


def _dates(certificate: x509.Certificate, now: datetime) -> Iterator[Fault]:
    begin, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if now < begin:
        yield Fault(f"BadCertificateTimeInvalid: not valid before {to_the_second(begin)}; {clock(now)}", _RENEW)
    if now > end:
        yield Fault(f"BadCertificateTimeInvalid: expired {to_the_second(end)}; {clock(now)}", _RENEW)


def _key(certificate: x509.Certificate) -> Iterator[Fault]:
    key = certificate.public_key()
    if isinstance(key, rsa.RSAPublicKey) and key.key_size < _FEWEST_BITS:
        why = f"its key has {key.key_size} bits, and fewer than {_FEWEST_BITS} can be broken"
        yield Fault(f"BadCertificatePolicyCheckFailed: {why}", "have one issued with a longer key")


def _extensions(certificate: x509.Certificate, application: str) -> Iterator[Fault]:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        uses = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
        purposes = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound as error:
        yield Fault(f"BadCertificateInvalid: {error}", _ISSUE)
        return
    if application not in names.get_values_for_type(x509.UniformResourceIdentifier):
        yield Fault(f"BadCertificateUriInvalid: its certificate is not of the application {application}", _ISSUE)
    if ExtendedKeyUsageOID.SERVER_AUTH not in purposes or not all(getattr(uses, use) for use in _USES):
        yield Fault("BadCertificateUseNotAllowed: its certificate may not be used by an OPC UA server", _ISSUE)


def _policies() -> verification.PolicyBuilder:
    authority = (
        verification.ExtensionPolicy.permit_all()
        .require_present(x509.BasicConstraints, verification.Criticality.AGNOSTIC, _is_authority)
        .may_be_present(x509.KeyUsage, verification.Criticality.AGNOSTIC, _may_sign)
    )
    return verification.PolicyBuilder().extension_policies(
        ca_policy=authority, ee_policy=verification.ExtensionPolicy.permit_all()
    )


def _is_authority(_policy: object, _certificate: object, extension: x509.BasicConstraints) -> None:
    if not extension.ca:
        raise ValueError("what signed it is no authority")


def _may_sign(_policy: object, _certificate: object, extension: x509.KeyUsage | None) -> None:
    if extension is not None and not extension.key_cert_sign:
        raise ValueError("what signed it may not sign certificates")


def _issuer(certificate: x509.Certificate, known: AbstractSet[x509.Certificate]) -> x509.Certificate | None:
    if _signed(certificate, certificate):
        return None
    return next((one for one in known if _signed(certificate, one)), None)


def _signed(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (InvalidSignature, ValueError, TypeError):
        return False
    return True


def _all(folder: Path | None, pem: Callable[[bytes], list[T]], der: Callable[[bytes], T]) -> tuple[T, ...]:
    files = in_folder(folder) if folder else []
    return tuple(found for file in files for found in _read(file, pem, der))


def _read(path: Path, pem: Callable[[bytes], list[T]], der: Callable[[bytes], T]) -> list[T]:
    try:
        return pem(path.read_bytes()) if is_pem(path) else [der(path.read_bytes())]
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path} can't be used: {error}", "it has to be PEM or DER") from error


def _canonical(host: str) -> str:
    try:
        return str(ip_address(host))
    except ValueError:
        return host.lower()
