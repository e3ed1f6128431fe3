"""The API's own TLS: our certificate, and the authority of clients that have to show one."""

import ssl
import time
from bisect import bisect_right
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Self

from cryptography import x509

from gateway.settings.api import ApiTlsSettings
from gateway.transport.handshake import revocation_lists
from gateway.transport.tls import from_files, load_identity, load_revocations
from gateway.transport.validity import Life, lives


class RenewableContext(ssl.SSLContext):
    """A listener's context whose handshakes go by the files as they were last read; ConfigError for bad ones.

    OpenSSL only adds to a context: an authority that was taken away would stay, and so would an older revocation
    list and the sessions of clients that are revoked by now. So each renewal makes a context of its own; and one for
    each later moment at which an authority or a list ends, because a client that resumes a session isn't looked at
    again: none goes on with one from before that moment.
    """

    lives: Mapping[str, tuple[Life, ...]]  # of what was read last, by setting
    _ends: list[float]  # POSIX seconds
    _contexts: list[ssl.SSLContext]  # the first until the first end; one more than there are ends

    def __new__(cls, _tls: ApiTlsSettings) -> Self:
        """Return a context that is never used for a handshake itself."""
        return super().__new__(cls, ssl.PROTOCOL_TLS_SERVER)

    def __init__(self, tls: ApiTlsSettings) -> None:
        self.settings = tls
        self.renew()

    def renew(self) -> None:
        """Read the files again: connections from now on go by them. ConfigError for bad files: nothing changes."""
        tls = self.settings
        self._ends, self._contexts = from_files(
            lambda: _contexts(tls), *(tls.certificate, tls.private_key, tls.client_ca, tls.client_crl)
        )
        named = {"certificate": tls.certificate, "client_ca": tls.client_ca, "client_crl": tls.client_crl}
        self.lives = {setting: found for setting, path in named.items() if path and (found := lives(path))}

    def wrap_bio(self, *args: Any, **kwargs: Any) -> ssl.SSLObject:
        """Begin a connection, as asyncio does for each one."""
        present = self._contexts[bisect_right(self._ends, time.time())]  # OpenSSL goes by that clock, too
        return present.wrap_bio(*args, **kwargs)


def certified_until(connection: ssl.SSLObject) -> datetime | None:
    """Return when the certificate ends that the client showed, if it did: OpenSSL doesn't ask as a session goes on."""
    shown = connection.getpeercert()
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(str(shown["notAfter"])), UTC) if shown else None


def _contexts(tls: ApiTlsSettings) -> tuple[list[float], list[ssl.SSLContext]]:
    ends = _ends(tls)
    return ends, [_context(tls) for _ in range(len(ends) + 1)]


def _ends(tls: ApiTlsSettings) -> list[float]:
    """Return when authorities and lists will end, the next first; of what has ended OpenSSL believes nothing."""
    authorities = x509.load_pem_x509_certificates(tls.client_ca.read_bytes()) if tls.client_ca else []
    lists = [one.next_update_utc for one in revocation_lists(tls.client_crl)] if tls.client_crl else []
    ends = {one.timestamp() for one in (*(one.not_valid_after_utc for one in authorities), *lists) if one}
    return sorted(one for one in ends if one > time.time())


def _context(tls: ApiTlsSettings) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    load_identity(context, tls.certificate, tls.private_key)
    if tls.client_ca:
        context.load_verify_locations(tls.client_ca)
        # People's tokens go without; for which tokens it takes a certificate, `auth` says.
        context.verify_mode = ssl.CERT_OPTIONAL
    if tls.client_crl:
        load_revocations(context, tls.client_crl)
    return context
