"""The token that the commands ask the daemon with: whole, and its owner's only, at every moment."""

from hashlib import sha256
from pathlib import Path

import pytest

from gateway.errors import StoreError
from gateway.runtime.local_token import local_token_path, make_local_token


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "gateway.db"


def test_what_is_written_is_what_the_api_takes(store: Path) -> None:
    known = make_local_token(store)

    assert known.sha256 == sha256(local_token_path(store).read_bytes()).hexdigest()


def test_only_its_owner_reads_it(store: Path) -> None:
    make_local_token(store)

    assert 0o600 == local_token_path(store).stat().st_mode & 0o777


def test_the_one_before_is_there_until_the_new_one_is_whole(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_local_token(store)
    path = local_token_path(store)
    before, seen = path.read_text(), []
    write = Path.write_text

    def watched(file: Path, data: str, encoding: str) -> int:
        seen.append(path.read_text())
        written = write(file, data, encoding)
        seen.append(path.read_text())
        return written

    monkeypatch.setattr(Path, "write_text", watched)
    make_local_token(store)

    assert [before, before] == seen
    assert before != path.read_text()


def test_nothing_is_left_beside_it(store: Path) -> None:
    make_local_token(store)
    make_local_token(store)

    assert [local_token_path(store)] == list(store.parent.iterdir())


def test_a_folder_in_its_place_is_told(store: Path) -> None:
    local_token_path(store).mkdir()
    with pytest.raises(StoreError, match="can't write"):
        make_local_token(store)
