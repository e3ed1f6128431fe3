"""What retention deletes is in an archive first, and stays readable there."""

import shutil
from datetime import timedelta

import pytest

from gateway.errors import StoreError
from gateway.store import archive, manifest
from gateway.store.batch import Batch, ConsumerKey, ConsumerKind, Mark
from gateway.store.copying import copy_store
from gateway.store.documents import posting_at
from gateway.store.doubt import Occasion
from gateway.store.reading import read
from gateway.store.restore import restore
from gateway.store.retention import prune
from gateway.store.signing import key_path, signing_key
from gateway.store.store import Registration
from gateway.store.verify import verify
from tests.unit.store.samples import START

ERP = ConsumerKey(ConsumerKind.SINK, "erp")
KEEP = timedelta(days=90)
LIMIT = START + timedelta(days=1)
NOW = LIMIT + KEEP
LATER = NOW + timedelta(days=1)


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


def damage(file):
    content = bytearray(file.read_bytes())
    content[-100] ^= 1
    file.write_bytes(content)


def test_a_changed_archive_covers_nothing(path, made):
    damage(made)

    with pytest.raises(StoreError, match="is not the file that its manifest was written for"):
        archive.covered(path, made.parent, 1)
    assert not manifest.inspect(made).ok


def test_a_damaged_archive_is_named_with_the_way_out(path, made):
    damage(made)
    with pytest.raises(StoreError) as error:
        archive.covered(path, made.parent, 1)

    assert f"the archive is damaged: {made} is not the file" in error.value.message
    assert "move it away: `gateway archive` writes one of what the store still has" in error.value.hint


@pytest.mark.parametrize("away", [(), ("",), (".json",), ("", ".json")])
def test_the_way_out_of_a_damaged_archive_is_another_one(path, made, away):
    damage(made)
    for suffix in away:
        made.with_name(made.name + suffix).rename(path.with_name(f"away{suffix}"))
    again = archive.make(path, made.parent, LIMIT, LATER, silent)

    assert again is not None
    assert verify(again).ok
    assert 6 == archive.covered(path, made.parent, 1)


def test_an_archive_that_is_sound_is_not_made_again(path, made):
    assert made == archive.make(path, made.parent, LIMIT, LATER, silent)
    assert 2 == len(list(made.parent.iterdir()))


def test_what_a_damaged_archive_has_another_one_may_cover(path, made):
    for suffix in ("", ".json"):
        shutil.copy(f"{made}{suffix}", made.with_name(f"other.db{suffix}"))
    damage(made)

    assert 6 == archive.covered(path, made.parent, 1)


def test_a_file_that_is_no_manifest_is_in_nobodys_way(path, made):
    (made.parent / "bomb.json").write_text("[" * 100_000)
    (made.parent / "bomb").touch()

    assert 6 == archive.covered(path, made.parent, 1)


def test_an_archive_that_cannot_be_read_is_told(path, made, monkeypatch):
    def denied(_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(manifest, "digest", denied)
    with pytest.raises(StoreError, match=r"-1-6\.db can't be read: Permission denied"):
        archive.covered(path, made.parent, 1)


async def test_an_archive_covers_nothing_that_a_restore_gave_up(store, path, tmp_path, line):
    copy_store(path, tmp_path / "backup.db", "backup", START, silent)
    await store.commit(line.posted(5))
    await store.register([Registration(ERP, required=True)], START)
    await store.commit(Batch(consumers={ERP: Mark(15, START)}))
    made = archive.make(path, tmp_path / "archive", LIMIT, NOW, silent)
    await store.close()
    restore(path, tmp_path / "backup.db", "PLANT1-L1", Occasion(NOW, "root", "test"), silent)

    (one,) = archive.of_store(path, made.parent)
    assert (15, 1, 10, 10) == (one.content.through, one.first, one.last, one.through)
    assert 10 == archive.covered(path, made.parent, 1)
    assert 0 == archive.covered(path, made.parent, 11)


@pytest.mark.parametrize(
    ("stretches", "gap"),
    [
        ([], (3, 9)),
        ([(1, 9)], None),
        ([(6, 12), (1, 5)], None),
        ([(1, 5)], (6, 9)),
        ([(5, 12)], (3, 4)),
        ([(1, 4), (8, 12)], (5, 7)),
        ([(1, 12), (2, 4)], None),
        ([(10, 12)], (3, 9)),
    ],
)
def test_what_no_archive_has_is_missing(stretches, gap):
    archives = [archive.Archive(None, None, "", True, first, last, last) for first, last in stretches]

    assert gap == archive.missing(archives, 3, 9)


def test_nothing_is_missing_of_nothing():
    assert archive.missing([], 1, 0) is None


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
    assert "nobody vouches for this file but itself" in manifest.inspect(made).detail


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
