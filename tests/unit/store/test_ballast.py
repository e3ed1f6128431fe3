"""Room for the worst moment."""

import os
from errno import EACCES
from pathlib import Path

import pytest

from gateway.errors import StoreError, StoreFull
from gateway.store import ballast as module
from gateway.store.ballast import Ballast
from gateway.store.space import Room, in_words, size_of

MIB = 1 << 20


@pytest.fixture
def disk(monkeypatch):
    """A disk that is as large and as full as it is told to be."""
    told = {"room": Room(100 * MIB, 50 * MIB)}
    monkeypatch.setattr(module, "room", lambda _: told["room"])
    return told


@pytest.fixture
def store(tmp_path):
    return tmp_path / "gateway.db"


def test_it_takes_real_blocks(store, disk):
    ballast = Ballast(store, MIB)

    assert ballast.make()
    assert ballast.path.stat().st_blocks * 512 >= MIB


def test_it_is_made_only_where_as_much_again_is_free(store, disk):
    disk["room"] = Room(100 * MIB, 2 * MIB - 1)

    assert not Ballast(store, MIB).make()


def test_on_a_tiny_disk_it_is_an_eighth_of_that(store, disk, caplog):
    disk["room"] = Room(2 * MIB, 2 * MIB)
    ballast = Ballast(store, 8 * MIB)
    ballast.make()

    assert size_of(ballast.path) == 2 * MIB // 8
    assert "has 256 KiB, not 8 MiB" in caplog.text


def test_one_that_is_there_is_kept_on_a_full_disk(store, disk):
    Ballast(store, MIB).make()
    disk["room"] = Room(100 * MIB, 0)

    assert Ballast(store, MIB).make()


@pytest.mark.parametrize("wanted", [0, MIB, 3 * MIB])
def test_another_size_is_taken_over_at_the_next_start(store, disk, wanted):
    Ballast(store, 2 * MIB).make()
    ballast = Ballast(store, wanted)

    assert ballast.make()
    assert size_of(ballast.path) == wanted


def test_without_one_there_still_has_to_be_some_room(store, disk):
    disk["room"] = Room(100 * MIB, MIB - 1)

    assert not Ballast(store, 0).make()


def test_freed_it_is_gone(store, disk):
    ballast = Ballast(store, MIB)
    ballast.make()
    ballast.free()

    assert not ballast.path.exists()


def test_where_it_cannot_be_allocated_nothing_is_left(store, disk, monkeypatch, caplog):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    ballast = Ballast(store, MIB)

    assert not ballast.make()
    assert not ballast.path.exists()
    assert "No space left on device" in caplog.text


@pytest.fixture
def refusing(monkeypatch):
    """A system that doesn't let anybody make or delete the ballast."""

    def refuse(*_, **__):
        raise OSError(EACCES, "Permission denied")

    monkeypatch.setattr(Path, "unlink", refuse)
    monkeypatch.setattr(os, "posix_fallocate", refuse)


def test_one_that_cannot_be_made_is_told_once_and_done_without(store, disk, refusing, caplog):
    ballast = Ballast(store, MIB)

    assert all(ballast.make() for _ in range(3))
    assert 1 == caplog.text.count("can't be made (Permission denied); until the next start there is no ballast")


def test_a_folder_in_its_place_is_told_once_and_done_without(store, disk, caplog):
    ballast = Ballast(store, MIB)
    ballast.path.mkdir()

    assert all(ballast.make() for _ in range(3))
    assert 1 == caplog.text.count("Is a directory")


def test_one_that_cannot_be_deleted_gives_no_room_and_counts_as_none(store, disk, refusing, caplog):
    ballast = Ballast(store, MIB)
    ballast.path.write_bytes(bytes(MIB))
    disk["room"] = Room(100 * MIB, 0)
    ballast.free()
    ballast.free()

    assert not ballast.make()
    assert 1 == caplog.text.count("can't be deleted (Permission denied)")

    disk["room"] = Room(100 * MIB, MIB)

    assert ballast.make()


@pytest.mark.parametrize(
    ("error", "free", "full"),
    [
        (StoreFull("database or disk is full"), 50 * MIB, True),
        (StoreError("disk I/O error"), 50 * MIB, False),
        (StoreError("disk I/O error"), 1000, True),
    ],
)
def test_a_full_disk_is_seen_by_the_error_or_by_the_disk(store, disk, error, free, full):
    disk["room"] = Room(100 * MIB, free)

    assert Ballast(store, MIB).is_full(error) is full


def test_a_disk_that_is_gone_is_a_store_error(tmp_path):
    with pytest.raises(StoreError, match="No such file"):
        Ballast(tmp_path / "gone" / "gateway.db", MIB).make()


@pytest.mark.parametrize(
    ("size", "words"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1 KiB"),
        (1536, "1.5 KiB"),
        (8 * MIB, "8 MiB"),
        (12.4 * (1 << 30), "12 GiB"),
    ],
)
def test_sizes_are_written_as_people_read_them(size, words):
    assert in_words(size) == words
