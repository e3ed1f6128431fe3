"""Whom the commands take for the running gateway over TLS: who has the very certificate of the configuration."""

import ssl
from pathlib import Path
from typing import Any, Self

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from gateway.errors import TransientError
from gateway.transport.tls import from_files

_NOBODY = "if no gateway is running, somebody else has its port"
_NO_TLS = f"if api.tls came into gateway.yaml since its start, restart it; {_NOBODY}"
_ANOTHER = (
    f"if the file was renewed, send the gateway SIGHUP and see what it logs; if gateway.yaml named another one before, "
    f"restart it; {_NOBODY}"
)


class PinnedContext(ssl.SSLContext):
    """A client's context that goes on with the first certificate of a file only, the one a server shows.

    It is our own file: whoever else its authority has issued to is not us, while its dates and names may be anything.
    The handshake proves that the other side has the key; until the certificate is compared, it is told nothing.
    """

    def __new__(cls, _certificate: Path, _at: str) -> Self:
        """Return a context for clients."""
        return super().__new__(cls, ssl.PROTOCOL_TLS_CLIENT)

    def __init__(self, certificate: Path, at: str) -> None:
        """Read the file; ConfigError where it holds no certificate. `at` is where the other side is said to be."""
        self.check_hostname = False
        self.verify_mode = ssl.CERT_NONE
        self._file, self._at = certificate, at
        self._certificate = from_files(lambda: _first(certificate), certificate)

    def wrap_socket(self, *args: Any, **kwargs: Any) -> ssl.SSLSocket:
        """Shake hands; TransientError with somebody else, or who speaks no TLS."""
        try:
            connection = super().wrap_socket(*args, **kwargs)
        except TimeoutError:
            raise
        except OSError as error:
            raise TransientError(f"what listens at {self._at} does not answer in TLS", _NO_TLS) from error
        if connection.getpeercert(binary_form=True) != self._certificate:
            connection.close()
            raise TransientError(f"{self._at} answers with another certificate than {self._file}", _ANOTHER)
        return connection


def _first(file: Path) -> bytes:
    return x509.load_pem_x509_certificates(file.read_bytes())[0].public_bytes(Encoding.DER)
