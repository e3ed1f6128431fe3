"""What is said of a handshake that failed: whose certificate or list is to be put right."""

import ssl
from pathlib import Path

import pytest

from gateway.errors import TransientError
from gateway.transport.tls import TlsSettings
from tests.harness.certificates import Authority, Issued


class Plant:
    """`root` issued `line`, which issued `server`; the client believes what is in `ca` and `crl`."""

    def __init__(self, folder: Path) -> None:
        self.root = Authority(folder, "root")
        self.line = self.root.intermediate("line")
        self.server = self.line.issue("server")
        self.ca, self.crl = folder / "ca.pem", folder / "lists.pem"

    def refusal(self, *lists: bytes, ca: Authority | None = None, host: str = "127.0.0.1") -> str:
        """Return what a client with these lists says of the server."""
        self.ca.write_bytes((ca or self.root).certificate.read_bytes())
        self.crl.write_bytes(b"".join(lists))
        files = {"ca": str(self.ca)} | ({"crl": str(self.crl)} if lists else {})
        settings = TlsSettings.model_validate(files)
        error = TransientError("no connection")
        error.__cause__ = failure(settings.context(), self.server, host)
        return str(settings.explanation(error))


def failure(client: ssl.SSLContext, issued: Issued, host: str) -> ssl.SSLError | None:
    """Return what the client's handshake with such a server ends with, in memory."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*issued)
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    sides = client.wrap_bio(back, there, server_hostname=host), context.wrap_bio(there, back, server_side=True)
    for _ in range(3):
        for side in sides:
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
            except ssl.SSLError as error:
                return error
    return None


@pytest.fixture
def plant(tmp_path: Path) -> Plant:
    return Plant(tmp_path)


def test_a_certificate_that_names_its_host_only_as_subject_is_refused(plant: Plant) -> None:
    plant.server = plant.line.issue("localhost", host=None)

    assert "its certificate is for another host" in plant.refusal(host="localhost")


def test_a_name_in_the_certificate_is_believed(plant: Plant) -> None:
    plant.server = plant.line.issue("server", host="localhost", dns=True)

    assert "no connection" == plant.refusal(host="localhost")


def test_the_root_that_is_missing_above_the_intermediate_is_named(plant: Plant) -> None:
    said = plant.refusal(ca=plant.line)

    assert "the certificate of who issued its authority isn't known here: CN=root" in said
    assert f"put that one into {plant.ca} (tls.ca), too" in said


def test_it_is_said_whose_list_expired(plant: Plant) -> None:
    said = plant.refusal(plant.root.revocations(), plant.line.revocations(days=-1))

    assert "a revocation list has expired: that of CN=line, " in said


def test_it_is_said_whose_list_is_not_yet_valid(plant: Plant) -> None:
    said = plant.refusal(plant.root.revocations(), plant.line.revocations(starts=1, days=2))

    assert "a revocation list is not valid yet: that of CN=line, before " in said


def test_it_is_said_whose_list_is_missing(plant: Plant) -> None:
    said = plant.refusal(plant.line.revocations())

    assert "there is no revocation list of its authority: CN=root" in said


def test_where_an_authority_that_the_server_sent_has_no_list_it_is_said_whose_there_are(plant: Plant) -> None:
    said = plant.refusal(plant.root.revocations())

    assert "there is no revocation list of its authority: the only lists are of CN=root" in said
