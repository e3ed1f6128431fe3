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


def rewritten_in_place_as_long_and_as_old(file: Path) -> None:
    before = file.stat()
    file.write_text("LIST")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))


def touched(file: Path) -> None:
    os.utime(file, ns=(0, 0))


def fetched_again(file: Path) -> None:
    other = file.with_suffix(".new")
    other.write_text("list")
    other.replace(file)


def opened_in_an_editor(file: Path) -> None:
    file.with_name(f".{file.name}.swp").write_text("cursor")
    file.with_name(f"{file.name}~").write_text("list")


RENEWED = [rewritten, replaced_by_one_as_long_and_as_old, rewritten_in_place_as_long_and_as_old, Path.unlink]
SAME = [touched, fetched_again, opened_in_an_editor]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "lists.pem"
    path.write_text("list")
    return path


@pytest.mark.parametrize("renew", RENEWED)
def test_a_renewed_file_is_another_one(file: Path, renew: Callable[[Path], None]) -> None:
    before = fingerprint(None, file)
    renew(file)

    assert before != fingerprint(None, file)


@pytest.mark.parametrize("renew", RENEWED)
def test_a_folder_is_another_one_with_any_of_its_files(file: Path, renew: Callable[[Path], None]) -> None:
    before = fingerprint(file.parent)
    renew(file)

    assert before != fingerprint(file.parent)


@pytest.mark.parametrize("leave", SAME)
def test_what_says_the_same_is_the_same(file: Path, leave: Callable[[Path], None]) -> None:
    before = fingerprint(file, file.parent)
    leave(file)

    assert before == fingerprint(file, file.parent)


def test_a_certificate_that_came_into_a_folder_makes_it_another(file: Path) -> None:
    before = fingerprint(file.parent)
    (file.parent / "new.CRT").write_text("certificate")

    assert before != fingerprint(file.parent)


def test_what_is_not_there_or_not_configured_is_none(tmp_path: Path) -> None:
    assert (None, None) == fingerprint(None, tmp_path / "missing")
