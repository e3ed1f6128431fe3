"""Until when files and folders of certificates and lists are good."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from gateway.transport.validity import Life, lives
from tests.harness.certificates import Authority

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("days", "before"), [(365, timedelta(days=7)), (5, timedelta(days=1))], ids=["long life", "short life"]
)
def test_its_end_is_told_of_a_week_before_or_in_the_last_fifth_of_a_short_life(days: int, before: timedelta) -> None:
    life = Life("a list", BEGIN, BEGIN + timedelta(days=days))

    assert life.end - before == life.warned


def test_a_folder_has_certificates_and_lists_in_pem_and_der(tmp_path: Path) -> None:
    authority = Authority(tmp_path, "root")
    (tmp_path / "lists.crl").write_bytes(authority.revocations())
    der = tmp_path / "der"
    der.mkdir()
    certificate = x509.load_pem_x509_certificate(authority.certificate.read_bytes())
    (der / "root.der").write_bytes(certificate.public_bytes(Encoding.DER))
    (der / "root.crl").write_bytes(x509.load_pem_x509_crl(authority.revocations()).public_bytes(Encoding.DER))
    both = {"the certificate of CN=root", "the revocation list of CN=root"}

    assert [both, both] == [{one.what for one in lives(folder)} for folder in (tmp_path, der)]


def test_of_two_lists_of_an_authority_the_one_that_ends_later_counts(tmp_path: Path) -> None:
    authority = Authority(tmp_path, "root")
    lists = tmp_path / "lists.pem"
    lists.write_bytes(authority.revocations(days=5) + authority.revocations(days=-1))
    (life,) = lives(lists)

    assert datetime.now(UTC) < life.end


def test_what_can_not_be_read_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "note.txt").write_text("no certificate")

    assert () == lives(tmp_path)
    assert () == lives(tmp_path / "missing")


def test_a_systems_bundle_is_left_out(tmp_path: Path) -> None:
    bundle = tmp_path / "bundle.pem"
    bundle.write_bytes(Authority(tmp_path, "root").certificate.read_bytes() * 21)

    assert () == lives(bundle)
