"""What retention deletes is in an archive first, and stays readable there."""

from datetime import timedelta

import pytest

from gateway.errors import StoreError
from gateway.store import archive, manifest
from gateway.store.batch import Batch, ConsumerKey, ConsumerKind, Mark
from gateway.store.copying import copy_store
from gateway.store.documents import posting_at
from gateway.store.reading import read
from gateway.store.retention import prune
from gateway.store.signing import key_path, signing_key
from gateway.store.store import Registration
from gateway.store.verify import verify
from tests.unit.store.samples import START

ERP = ConsumerKey(ConsumerKind.SINK, "erp")
KEEP = timedelta(days=90)
LIMIT = START + timedelta(days=1)
NOW = LIMIT + KEEP


def silent(step: str, number: int) -> None:
    """Show nothing."""


@pytest.fixture
async def acknowledged(store, line):
    """Ten postings, six of them acknowledged by the one required consumer."""
    await store.register([Registration(ERP, required=True)], START)
    await store.commit(Batch(consumers={ERP: Mark(6, START)}))
    return line


@pytest.fixture
def made(path, tmp_path, acknowledged):
    found = archive.make(path, tmp_path / "archive", LIMIT, NOW, silent)
    assert found is not None
    return found


def test_what_is_old_and_acknowledged_may_go(path, acknowledged):
    found = read(path, lambda raw: archive.due(raw, LIMIT))

    assert found is not None
    assert (1, 6) == (found.first, found.last)


def test_what_is_too_young_may_not(path, acknowledged):
    assert read(path, lambda raw: archive.due(raw, START)) is None


def test_nothing_may_go_while_nobody_is_required(path, line):
    assert read(path, lambda raw: archive.due(raw, LIMIT)) is None


@pytest.mark.parametrize(("days", "expected"), [(29, False), (32, True)])
def test_an_archive_is_worth_it_when_a_month_may_go(path, acknowledged, days, expected):
    limit = START + timedelta(days=days)
    found = read(path, lambda raw: archive.due(raw, limit))

    assert found is not None
    assert expected == archive.is_worth_it(found, limit)
    assert archive.is_worth_it(found._replace(last=found.first + 500_000), limit)


def test_an_archive_is_a_store_that_verifies_with_a_signed_manifest(made, store):
    described = manifest.read(made).content

    assert f"PLANT1-L1-{store.store}-1-6.db" == made.name
    assert ("archive", 1, 6, 10) == (described.kind, described.first_seq, described.through, described.seq)
    assert verify(made).ok


async def test_what_the_archive_covers_may_be_deleted_and_no_more(store, path, made):
    assert 6 == archive.covered(path, made.parent, 1)
    assert 4 == await prune(store, KEEP, NOW, 4)
    assert 6 == archive.covered(path, made.parent, 5)
    assert 0 == archive.covered(path, made.parent, 7)


async def test_a_deleted_posting_is_found_in_the_archive(store, path, made):
    await prune(store, KEEP, NOW, 6)
    (found,) = archive.of_store(path, made.parent)
    with archive.readable(found[0]) as there:
        posting = read(there, lambda raw: posting_at(raw, 3))

    assert posting is not None
    assert read(path, lambda raw: posting_at(raw, 3)) is None


def test_a_changed_archive_covers_nothing(path, made):
    content = bytearray(made.read_bytes())
    content[-100] ^= 1
    made.write_bytes(content)

    with pytest.raises(StoreError, match="is not the file that its manifest was written for"):
        archive.covered(path, made.parent, 1)
    found = manifest.inspect(made)
    assert found is not None
    assert not found.ok


def test_an_archive_that_a_stranger_signed_covers_nothing(path, made):
    key = path.with_name("gateway.db.key")
    key.unlink()

    assert 0 == archive.covered(path, made.parent, 1)


def test_an_archive_is_signed_by_the_configured_key_and_none_is_made_beside_the_store(path, tmp_path, acknowledged):
    key = signing_key(tmp_path / "configured")
    found = archive.make(path, tmp_path / "archive", LIMIT, NOW, silent, key=key)

    assert found is not None
    assert key.id == manifest.read(found).key
    assert 6 == archive.covered(path, found.parent, 1, key)
    assert not key_path(path).exists()


def test_an_archive_without_its_manifest_covers_nothing(path, made):
    manifest.path_of(made).unlink()

    assert 0 == archive.covered(path, made.parent, 1)
    assert manifest.inspect(made) is None


def test_a_backup_in_the_folder_is_no_archive(path, tmp_path, acknowledged):
    copy_store(path, tmp_path / "backup.db", "backup", NOW, silent)

    assert [] == list(archive.of_store(path, tmp_path))


def test_there_is_no_archive_of_nothing(path, tmp_path, line):
    assert archive.make(path, tmp_path / "archive", LIMIT, NOW, silent) is None


def test_an_archive_of_an_older_program_is_read_as_a_copy(made, monkeypatch):
    newest = archive.migrations()
    monkeypatch.setattr(archive, "migrations", lambda: [*newest, (len(newest) + 1, "")])
    with archive.readable(made) as copy:
        assert made != copy
        assert read(copy, lambda raw: posting_at(raw, 3)) is not None


def test_a_folder_that_cannot_be_made_is_told(path, tmp_path, acknowledged):
    (tmp_path / "file").touch()

    with pytest.raises(StoreError, match="can't create"):
        archive.make(path, tmp_path / "file" / "archive", LIMIT, NOW, silent)
