"""TLS as devices and sinks configure it, and the one question about key files that libraries get wrong."""

import ssl
from pathlib import Path

from pydantic import Field, model_validator

from gateway.errors import ConfigError
from gateway.settings.base import ExistingPath, Settings


class TlsSettings(Settings):
    """Whom to believe (`ca`), and who we are (`certificate` and `private_key`, PEM) where the server asks."""

    ca: ExistingPath | None = Field(default=None, description="PEM; default: the certificate authorities of the system")
    certificate: ExistingPath | None = Field(default=None, description="our own, PEM")
    private_key: ExistingPath | None = Field(default=None, description="of our certificate, PEM, without a passphrase")

    @model_validator(mode="after")
    def _certificate_with_its_key(self) -> "TlsSettings":
        if (self.certificate is None) != (self.private_key is None):
            raise ValueError("certificate and private_key come together; give both, or neither")
        return self

    def context(self) -> ssl.SSLContext:
        """Return a client's context that checks the server's chain, dates and host name; ConfigError for bad files."""
        try:
            context = ssl.create_default_context(cafile=self.ca)
            if self.certificate:
                # An empty passphrase instead of none: OpenSSL would ask for one on the terminal and wait for ever.
                context.load_cert_chain(self.certificate, self.private_key, password=lambda: "")
        except (OSError, ValueError) as error:
            files = ", ".join(str(file) for file in (self.ca, self.certificate, self.private_key) if file)
            raise ConfigError(f"TLS can't be set up from {files}: {error}", "they have to be PEM files") from error
        return context


def is_pem(path: Path) -> bool:
    """Say whether the file is PEM by what is in it: keys are PEM whether they are called .pem, .key or .crt."""
    return b"-----BEGIN " in path.read_bytes()[:4096]
