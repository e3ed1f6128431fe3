"""What is checked of a certificate, pinned or not, and by which clock."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding

from gateway.transport.opcua_trust import Fault, Trust
from tests.harness.certificates import Authority

APPLICATION = "urn:test:server"
NOW = datetime.now(UTC)  # of the certificates: the rest of a test goes by the clock it says
DAY = timedelta(days=1)
NO_BATTERY = datetime(1970, 1, 1, 0, 0, 20, tzinfo=UTC)


def _now() -> datetime:
    return NOW


def _bare(bits: int = 2048) -> x509.Certificate:
    """Return a self-signed certificate as an old PLC makes it: without names and usages."""
    key = rsa.generate_private_key(65537, bits)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "plc")])
    return x509.CertificateBuilder(name, name, key.public_key(), 1, NOW - DAY, NOW + DAY).sign(key, hashes.SHA256())


def test_a_certificate_without_names_and_usages_is_believed_where_it_is_pinned() -> None:
    bare = _bare()

    assert [] == list(Trust("plc", _now, pinned=bare).faults(bare, APPLICATION))


def test_a_certificate_without_names_and_usages_is_refused_unpinned_and_pinning_is_the_way_out() -> None:
    fault = next(Trust("plc", _now).faults(_bare(), APPLICATION))

    assert fault.why.startswith("BadCertificateInvalid")
    assert "pin it: server_certificate" in fault.way_out


def test_another_certificate_than_the_pinned_one_is_refused() -> None:
    (fault,) = Trust("plc", _now, pinned=_bare()).faults(_bare(), APPLICATION)

    assert fault.why.startswith("BadCertificateUntrusted")


@pytest.mark.parametrize(
    ("clock", "why"),
    [
        (NO_BATTERY, "not valid before {begin:%Y-%m-%d %H:%M:%SZ}; the gateway's own clock says 1970-01-01 00:00:20Z"),
        (NOW + 2 * DAY, "expired {end:%Y-%m-%d %H:%M:%SZ}; the gateway's own clock says {clock:%Y-%m-%d %H:%M:%SZ}"),
    ],
    ids=["without a battery", "two days later"],
)
def test_the_dates_are_judged_by_the_gateways_clock_and_the_fault_says_what_it_says(clock: datetime, why: str) -> None:
    bare = _bare()
    (fault,) = Trust("plc", lambda: clock, pinned=bare).faults(bare, APPLICATION)
    said = why.format(begin=bare.not_valid_before_utc, end=bare.not_valid_after_utc, clock=clock)

    assert Fault(f"BadCertificateTimeInvalid: {said}", fault.way_out) == fault
    assert "set the gateway's clock" in fault.way_out


class Plant:
    """A server whose certificate is good for ten days, and whose authority's list is for one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.authority = Authority(folder, "root")  # good for one day
        self.trust, self.revoked = folder / "trust", folder / "revoked"
        for one in (self.trust, self.revoked):
            one.mkdir()
        (self.trust / "root.pem").write_bytes(self.authority.certificate.read_bytes())
        (self.revoked / "root.pem").write_bytes(self.authority.revocations(days=-1))
        issued = self.authority.issue("server", days=10, starts=-10)
        self.server = x509.load_pem_x509_certificate(issued.certificate.read_bytes())

    def faults(self, at: datetime, *, lists: bool) -> list[str]:
        trust = Trust.read("127.0.0.1", lambda: at, self.trust, self.revoked if lists else None, None)
        return [one.why for one in trust.faults(self.server, APPLICATION)]


def test_a_list_is_judged_by_the_gateways_clock(tmp_path: Path) -> None:
    plant = Plant(tmp_path)
    (expired,) = plant.faults(NOW, lists=True)

    assert [] == plant.faults(NOW - 2 * DAY, lists=True)
    assert "the list of CN=root expired" in expired
    assert expired.endswith(f"the gateway's own clock says {NOW:%Y-%m-%d %H:%M:%SZ}")


def test_an_authority_is_judged_by_the_gateways_clock(tmp_path: Path) -> None:
    plant = Plant(tmp_path)
    (expired,) = plant.faults(NOW + 2 * DAY, lists=False)

    assert [] == plant.faults(NOW, lists=False)
    assert expired.startswith("BadCertificateIssuerTimeInvalid: its authority CN=root expired ")
    assert expired.endswith(f"the gateway's own clock says {NOW + 2 * DAY:%Y-%m-%d %H:%M:%SZ}")


def test_who_has_an_expired_authority_is_told_to_renew_that(tmp_path: Path) -> None:
    plant = Plant(tmp_path)
    trust = Trust.read("127.0.0.1", lambda: NOW + 2 * DAY, plant.trust, None, None)
    (fault,) = trust.faults(plant.server, APPLICATION)

    assert "put the authority's renewed certificate into" in fault.way_out


def test_a_short_key_is_refused_even_where_it_is_pinned() -> None:
    short = _bare(bits=1024)
    (fault,) = Trust("plc", _now, pinned=short).faults(short, APPLICATION)

    assert fault.why.startswith("BadCertificatePolicyCheckFailed: its key has 1024 bits")


def test_a_self_signed_server_that_is_trusted_needs_no_list(tmp_path: Path) -> None:
    bare, trust, revoked = _bare(), tmp_path / "trust", tmp_path / "revoked"
    for one in (trust, revoked):
        one.mkdir()
    (trust / "plc.der").write_bytes(bare.public_bytes(Encoding.DER))

    assert [] == list(Trust.read("plc", _now, trust, revoked, trust / "plc.der").faults(bare, APPLICATION))


def test_an_address_may_stand_as_dns_name_as_plcs_have_it(tmp_path: Path) -> None:
    issued = Authority(tmp_path, "root").issue("server", host="127.0.0.1", dns=True)
    server = x509.load_pem_x509_certificate(issued.certificate.read_bytes())

    assert [] == list(Trust("127.0.0.1", _now).faults(server, APPLICATION))
