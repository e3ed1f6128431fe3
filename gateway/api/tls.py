"""The API's own TLS: our certificate, and the authority of clients that have to show one."""

import ssl

from gateway.settings.api import ApiTlsSettings
from gateway.transport.tls import from_files, load_identity, load_revocations


def server_context(tls: ApiTlsSettings) -> ssl.SSLContext:
    """Return the server's context; ConfigError for bad files."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    renew(context, tls)
    return context


def renew(context: ssl.SSLContext, tls: ApiTlsSettings) -> None:
    """Read the files into the context, also one in use: its next connections go by them. ConfigError for bad files."""

    def load() -> ssl.SSLContext:
        load_identity(context, tls.certificate, tls.private_key)
        if tls.client_ca:
            context.load_verify_locations(tls.client_ca)
            # People's tokens go without; for which tokens it takes a certificate, `auth` says.
            context.verify_mode = ssl.CERT_OPTIONAL
        if tls.client_crl:
            load_revocations(context, tls.client_crl)
        return context

    from_files(load, tls.certificate, tls.private_key, tls.client_ca, tls.client_crl)
