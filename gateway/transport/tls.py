"""TLS as devices and sinks configure it: whom to believe, and why somebody wasn't believed."""

import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from cryptography import x509
from pydantic import Field, model_validator

from gateway.errors import ConfigError, TransientError
from gateway.settings.base import ExistingPath, Settings
from gateway.transport.handshake import Files, explain

T = TypeVar("T")


class TlsSettings(Settings):
    """Whom to believe (`ca`), and who we are (`certificate` and `private_key`, PEM) where the server asks."""

    ca: ExistingPath | None = Field(default=None, description="PEM; default: the certificate authorities of the system")
    crl: ExistingPath | None = Field(
        default=None,
        description="PEM, a current revocation list of every authority in ca; an expired list lets nobody in",
    )
    certificate: ExistingPath | None = Field(default=None, description="our own, PEM")
    private_key: ExistingPath | None = Field(default=None, description="of our certificate, PEM, without a passphrase")

    @model_validator(mode="after")
    def _complete(self) -> "TlsSettings":
        if (self.certificate is None) != (self.private_key is None):
            raise ValueError("certificate and private_key come together; give both, or neither")
        if self.crl and not self.ca:
            raise ValueError("crl needs ca: the authorities whose lists they are")
        return self

    @property
    def files(self) -> tuple[Path | None, ...]:
        """What `context` is made from."""
        return self.ca, self.crl, self.certificate, self.private_key

    def context(self) -> ssl.SSLContext:
        """Return a client's context that checks the server's chain, dates and host name; ConfigError for bad files."""

        def make() -> ssl.SSLContext:
            context = ssl.create_default_context(cafile=self.ca)
            context.hostname_checks_common_name = False  # RFC 9525, 2: a subject is no name of a host
            if self.certificate:
                load_identity(context, self.certificate, self.private_key)
            if self.crl:
                load_revocations(context, self.crl)
            return context

        return from_files(make, *self.files)

    @contextmanager
    def explained(self) -> Iterator[None]:
        """Say of a refused handshake which file and setting it is about."""
        try:
            yield
        except TransientError as error:
            raise self.explanation(error) from error.__cause__

    def explanation(self, error: TransientError) -> TransientError:
        """Return the error with the way out, where TLS is the cause of it; else as it is."""
        cause: BaseException | None = error.__cause__
        while cause is not None and not isinstance(cause, ssl.SSLError):
            cause = cause.__cause__ or cause.__context__
        if cause is None:
            return error
        files = Files("tls", self.ca, self.crl, self.certificate)
        why, way_out = explain(cause, files, other="server")
        explained = TransientError(f"{error.message}: {why}" if why else error.message, way_out)
        explained.__cause__ = cause
        return explained


def from_files(make: Callable[[], T], *files: Path | None) -> T:
    """Return what `make` makes of the files; ConfigError naming them where it can't."""
    try:
        return make()
    except (OSError, ValueError) as error:
        named = ", ".join(str(file) for file in files if file)
        unreadable = isinstance(error, OSError) and not isinstance(error, ssl.SSLError)  # what is in them isn't known
        way_out = "" if unreadable else "they have to be PEM files"
        raise ConfigError(f"TLS can't be set up from {named}: {error}", way_out) from error


def load_identity(context: ssl.SSLContext, certificate: Path, private_key: Path | None) -> None:
    """Have the context show this certificate; OSError for bad files."""
    # An empty passphrase instead of none: OpenSSL would ask for one on the terminal and wait for ever.
    context.load_cert_chain(certificate, private_key, password=lambda: "")


def load_revocations(context: ssl.SSLContext, crl: Path) -> None:
    """Have the context refuse what the lists name, down from the root; ValueError for a file that isn't all lists."""
    content = crl.read_bytes()
    if b"-----BEGIN CERTIFICATE-----" in content:  # OpenSSL would trust it
        raise ValueError(f"{crl} holds a certificate; it may hold revocation lists only")
    x509.load_pem_x509_crl(content)
    context.load_verify_locations(crl)
    context.verify_flags |= ssl.VerifyFlags.VERIFY_CRL_CHECK_LEAF | ssl.VerifyFlags.VERIFY_CRL_CHECK_CHAIN


def is_pem(path: Path) -> bool:
    """Say whether the file is PEM by what is in it: keys are PEM whether they are called .pem, .key or .crt."""
    return b"-----BEGIN " in path.read_bytes()[:4096]
