"""What is told of files that TLS can't be set up from: bad ones, or ones that can't be opened at present."""

import errno
import os
import ssl
from pathlib import Path
from typing import Any

import pytest

from gateway.errors import ConfigError
from gateway.transport.tls import from_files

HINT = "they have to be PEM files"


@pytest.mark.parametrize(
    ("error", "hint"),
    [
        (OSError(errno.EMFILE, os.strerror(errno.EMFILE)), ""),
        (FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT)), ""),
        (ssl.SSLError(9, "[SSL] PEM lib (_ssl.c:4065)"), HINT),
        (ValueError("Unable to load PEM file."), HINT),
    ],
)
def test_only_of_files_that_could_be_read_it_is_said_that_they_are_bad(error: Exception, hint: str) -> None:
    def make() -> Any:
        raise error

    with pytest.raises(ConfigError, match=r"TLS can't be set up from /etc/ca\.pem: ") as caught:
        from_files(make, Path("/etc/ca.pem"), None)

    assert hint == caught.value.hint
