"""The API's own TLS: our certificate, and the authority of clients that have to show one."""

import ssl
from typing import Any, Self

from gateway.settings.api import ApiTlsSettings
from gateway.transport.tls import from_files, load_identity, load_revocations


class RenewableContext(ssl.SSLContext):
    """A listener's context whose handshakes go by the files as they were last read; ConfigError for bad ones.

    OpenSSL only adds to a context: an authority that was taken away would stay, and so would an older revocation
    list and the sessions of clients that are revoked by now. So each renewal makes a context of its own.
    """

    _present: ssl.SSLContext

    def __new__(cls, _tls: ApiTlsSettings) -> Self:
        """Return a context that is never used for a handshake itself."""
        return super().__new__(cls, ssl.PROTOCOL_TLS_SERVER)

    def __init__(self, tls: ApiTlsSettings) -> None:
        self._tls = tls
        self.renew()

    def renew(self) -> None:
        """Read the files again: connections from now on go by them. ConfigError for bad files: nothing changes."""
        self._present = _context(self._tls)

    def wrap_bio(self, *args: Any, **kwargs: Any) -> ssl.SSLObject:
        """Begin a connection, as asyncio does for each one."""
        return self._present.wrap_bio(*args, **kwargs)


def _context(tls: ApiTlsSettings) -> ssl.SSLContext:
    def load() -> ssl.SSLContext:
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

    return from_files(load, tls.certificate, tls.private_key, tls.client_ca, tls.client_crl)
