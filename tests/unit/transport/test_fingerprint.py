"""What tells a renewed file from the one that was read."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.transport.fingerprint import fingerprint


def rewritten(file: Path) -> None:
    file.write_text("another list")


def replaced_by_one_as_long_and_as_old(file: Path) -> None:
    before = file.stat()
    other = file.with_suffix(".new")
    other.write_text("LIST")
    os.utime(other, ns=(before.st_atime_ns, before.st_mtime_ns))
    other.replace(file)


def touched(file: Path) -> None:
    os.utime(file, ns=(0, 0))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "lists.pem"
    path.write_text("list")
    return path


@pytest.mark.parametrize("renew", [rewritten, replaced_by_one_as_long_and_as_old, touched, Path.unlink])
def test_a_renewed_file_is_another_one(file: Path, renew: Callable[[Path], None]) -> None:
    before = fingerprint(None, file)
    renew(file)

    assert before != fingerprint(None, file)


@pytest.mark.parametrize("renew", [rewritten, replaced_by_one_as_long_and_as_old, touched, Path.unlink])
def test_a_folder_is_another_one_with_any_of_its_files(file: Path, renew: Callable[[Path], None]) -> None:
    before = fingerprint(file.parent)
    renew(file)

    assert before != fingerprint(file.parent)


def test_a_file_that_nobody_touched_is_the_same(file: Path) -> None:
    assert fingerprint(file, file.parent) == fingerprint(file, file.parent)


def test_what_is_not_there_or_not_configured_is_none(tmp_path: Path) -> None:
    assert (None, None) == fingerprint(None, tmp_path / "missing")
