"""What a folder of revocation lists has to answer before a certificate is believed, trusted itself or not."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from gateway.transport.opcua_trust import Fault, Trust
from tests.harness.certificates import Authority, Issued

APPLICATION = "urn:test:server"


class Plant:
    """`root` issued `line`, which issued `server`; a test says who is trusted and whose lists are there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.root = Authority(folder, "root")
        self.line = self.root.intermediate("line")
        self.server = self.line.issue("server")
        self.trust, self.revoked = folder / "trust", folder / "revoked"
        for one in (self.trust, self.revoked):
            one.mkdir()

    def trusts(self, *trusted: Issued | Authority) -> None:
        for number, one in enumerate(trusted):
            (self.trust / f"{number}.pem").write_bytes(_only(one).public_bytes(Encoding.PEM))

    def publishes(self, *lists: bytes) -> None:
        for number, one in enumerate(lists):
            (self.revoked / f"{number}.crl").write_bytes(one)

    def faults(self, shown: Issued | None = None) -> list[Fault]:
        trust = Trust.read("127.0.0.1", lambda: datetime.now(UTC), self.trust, self.revoked, None)
        return list(trust.faults(_only(shown or self.server), APPLICATION))


def _only(one: Issued | Authority) -> x509.Certificate:
    return x509.load_pem_x509_certificates(one.certificate.read_bytes())[0]


@pytest.fixture
def plant(tmp_path: Path) -> Plant:
    return Plant(tmp_path)


def test_a_server_that_is_trusted_itself_is_refused_once_its_issuer_revoked_it(plant: Plant) -> None:
    plant.trusts(plant.server, plant.line, plant.root)
    plant.publishes(plant.line.revocations(plant.server), plant.root.revocations())
    (fault,) = plant.faults()

    assert "BadCertificateRevoked: CN=server was revoked" == fault.why


def test_an_intermediate_that_is_trusted_itself_is_refused_once_the_root_revoked_it(plant: Plant) -> None:
    plant.trusts(plant.line, plant.root)
    plant.publishes(plant.line.revocations(), plant.root.revocations(plant.line))
    (fault,) = plant.faults()

    assert "BadCertificateIssuerRevoked: CN=line was revoked" == fault.why


def test_who_trusts_the_server_alone_can_not_check_its_issuers_list_and_is_told_what_is_missing(plant: Plant) -> None:
    plant.trusts(plant.server)
    plant.publishes(plant.line.revocations(plant.server))
    (fault,) = plant.faults()

    assert fault.why.startswith("BadCertificateRevocationUnknown: CN=server was issued by CN=line")
    assert "put that authority's certificate into trust, too" in fault.way_out


def test_who_trusts_the_intermediate_alone_can_not_check_the_roots_list(plant: Plant) -> None:
    plant.trusts(plant.line)
    plant.publishes(plant.line.revocations(), plant.root.revocations(plant.line))
    (fault,) = plant.faults()

    assert fault.why.startswith("BadCertificateIssuerRevocationUnknown: CN=line was issued by CN=root")


def test_an_empty_folder_of_lists_answers_nothing(plant: Plant) -> None:
    plant.trusts(plant.server, plant.line, plant.root)

    assert ["has no list of CN=line", "has no list of CN=root"] == [
        one.why.partition("(revoked) ")[2] for one in plant.faults()
    ]


def test_a_trusted_server_is_believed_where_every_list_up_to_the_root_is_there(plant: Plant) -> None:
    plant.trusts(plant.server, plant.line, plant.root)
    plant.publishes(plant.line.revocations(), plant.root.revocations())

    assert [] == plant.faults()


def test_a_list_from_the_future_does_not_take_the_present_ones_place(plant: Plant) -> None:
    plant.trusts(plant.line, plant.root)
    tomorrow = plant.line.revocations(starts=1, days=2)
    plant.publishes(plant.line.revocations(plant.server), tomorrow, plant.root.revocations())
    (fault,) = plant.faults()

    assert "BadCertificateRevoked: CN=server was revoked" == fault.why


def test_a_list_from_the_future_alone_is_none(plant: Plant) -> None:
    plant.trusts(plant.line, plant.root)
    plant.publishes(plant.line.revocations(starts=1, days=2), plant.root.revocations())
    (fault,) = plant.faults()

    assert fault.why.startswith("BadCertificateRevocationUnknown: the list of CN=line is not valid before ")


def test_a_delta_list_does_not_take_the_whole_ones_place(plant: Plant) -> None:
    plant.trusts(plant.line, plant.root)
    delta = plant.line.revocations(starts=-1, delta=True)
    plant.publishes(plant.line.revocations(plant.server), delta, plant.root.revocations())
    (fault,) = plant.faults()

    assert "BadCertificateRevoked: CN=server was revoked" == fault.why


def test_the_list_of_an_authority_that_may_not_sign_lists_is_none(plant: Plant) -> None:
    plain = Authority(plant.folder, "plain", signs_lists=False)
    plant.trusts(plain)
    plant.publishes(plain.revocations())
    (fault,) = plant.faults(plain.issue("another"))

    assert "BadCertificateRevocationUnknown: CN=plain may not sign revocation lists" in fault.why
