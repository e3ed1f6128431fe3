"""Programs that a package registry doesn't give us: absent, a test is skipped here and fails in CI."""

import os
import shutil
from typing import NoReturn

import pytest

_BESIDE = "/usr/sbin:/usr/local/sbin"  # where Debian keeps daemons, off an ordinary user's PATH


def required(name: str) -> str:
    """Return where the program is; without it, skip the test, or fail it where CI is set."""
    found = shutil.which(name) or shutil.which(name, path=_BESIDE)
    if found is None:
        missing(f"{name} is not installed")
    return found


def missing(reason: str) -> NoReturn:
    """Skip the test, or fail it where CI is set."""
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)
