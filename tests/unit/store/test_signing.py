"""The store's key: made once, readable by its owner only, and what it signs can't be changed."""

import os
from stat import S_IMODE

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed448 import Ed448PrivateKey

from gateway.errors import StoreError
from gateway.store.signing import check, key_id, key_path, signing_key
from tests.harness.required import missing


@pytest.fixture
def store(tmp_path):
    return tmp_path / "line.db"


def test_the_key_is_made_once_and_then_stays(store):
    first = signing_key(store)

    assert (first.id, first.public) == (signing_key(store).id, signing_key(store).public)
    assert key_id(first.public) == first.id


def test_only_its_owner_reads_the_key_and_nothing_else_is_left_beside_it(store):
    signing_key(store)

    assert 0o600 == S_IMODE(key_path(store).stat().st_mode)
    assert [key_path(store)] == list(store.parent.iterdir())


def test_a_key_that_another_process_makes_at_the_same_moment_is_the_one_that_both_use(store, monkeypatch):
    other = signing_key(store)
    monkeypatch.setattr("pathlib.Path.exists", lambda _: False)

    assert other.id == signing_key(store).id


def test_what_was_signed_is_checked_with_the_public_key_alone(store):
    key = signing_key(store)
    signed = key.sign(b"position 17")

    assert (key.id, True) == (signed.key, check(key.public, b"position 17", signed.signature))


@pytest.mark.parametrize("content", [b"position 18", b"position 17 ", b""])
def test_a_signature_holds_for_its_own_bytes_only(store, content):
    key = signing_key(store)

    assert not check(key.public, content, key.sign(b"position 17").signature)


def test_another_key_did_not_sign_it(store, tmp_path):
    signed = signing_key(store).sign(b"position 17")

    assert not check(signing_key(tmp_path / "other.db").public, b"position 17", signed.signature)


@pytest.mark.parametrize(
    ("public", "signature"), [("zz", "00"), ("00" * 32, "no hex"), ("00" * 31, "00" * 64), ("", "")]
)
def test_what_is_malformed_was_not_signed(public, signature):
    assert not check(public, b"position 17", signature)


def test_a_damaged_key_is_never_replaced_in_silence(store):
    key_path(store).write_text("-----BEGIN PRIVATE KEY-----\nno key\n")

    with pytest.raises(StoreError, match=r"line\.db\.key can't be read .*take the file away"):
        signing_key(store)


def test_a_key_of_another_kind_is_refused(store):
    pem = Ed448PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    key_path(store).write_bytes(pem)

    with pytest.raises(StoreError, match="is no Ed25519 key"):
        signing_key(store)


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(StoreError, match=r"signing key .*line\.db\.key: No such file or directory"):
        signing_key(tmp_path / "gone" / "line.db")


def test_a_key_that_root_makes_is_its_folders_owners(tmp_path):
    if os.geteuid():
        missing("only root gives files away")
    os.chown(tmp_path, 12345, 12345)
    signing_key(tmp_path / "line.db")

    assert 12345 == key_path(tmp_path / "line.db").stat().st_uid


@pytest.mark.parametrize("content", [b"", b"\xff\x00" * 100])
def test_garbage_in_the_place_of_the_key_is_told_with_a_way_out(store, content):
    key_path(store).write_bytes(content)

    with pytest.raises(StoreError, match=r"can't be read .*take the file away"):
        signing_key(store)


def test_a_folder_in_the_place_of_the_key_is_told_with_a_way_out(store):
    key_path(store).mkdir()

    with pytest.raises(StoreError, match=r"Is a directory .*take away"):
        signing_key(store)
