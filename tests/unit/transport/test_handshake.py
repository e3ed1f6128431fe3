"""What is said of a handshake that failed: whose certificate or list is to be put right."""

import ssl
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

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
        return explained(settings, failure(settings.context(), self.server, host))


def explained(settings: TlsSettings, cause: ssl.SSLError | None) -> str:
    error = TransientError("no connection")
    error.__cause__ = cause
    return str(settings.explanation(error))


Serving = Callable[[ssl.SSLContext], None]


def as_usual(_server: ssl.SSLContext) -> None:
    pass


def failure(
    client: ssl.SSLContext, issued: Issued, host: str = "127.0.0.1", serving: Serving = as_usual
) -> ssl.SSLError | None:
    """Return what the client's handshake with such a server ends with, in memory."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers("ALL:@SECLEVEL=0")  # it may show what nobody should believe
    context.load_cert_chain(*issued)
    serving(context)
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    sides = client.wrap_bio(back, there, server_hostname=host), context.wrap_bio(there, back, server_side=True)
    for _ in range(3):
        for side in sides:
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
            except ssl.SSLError as error:
                if side is sides[0]:
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


def speaks_only_tls_1_1(server: ssl.SSLContext) -> None:
    server.minimum_version = server.maximum_version = ssl.TLSVersion.TLSv1_1


def has_only_ciphers_that_encrypt_nothing(server: ssl.SSLContext) -> None:
    server.maximum_version = ssl.TLSVersion.TLSv1_2
    server.set_ciphers("NULL-SHA256:@SECLEVEL=0")


def has_a_fault_of_its_own(server: ssl.SSLContext) -> None:
    server.sni_callback = lambda *_: ssl.ALERT_DESCRIPTION_INTERNAL_ERROR


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1 is deprecated:DeprecationWarning")
@pytest.mark.parametrize(
    ("serving", "way_out", "blames_us"),
    [
        (speaks_only_tls_1_1, "no version of TLS in common: have the server take 1.2 or newer", False),
        (has_only_ciphers_that_encrypt_nothing, "or the two have no cipher in common", True),
        (has_a_fault_of_its_own, "the log of the server says why", False),
    ],
)
def test_who_ends_the_handshake_is_not_said_to_refuse_our_certificate_where_it_is_something_else(
    plant: Plant, serving: Serving, way_out: str, *, blames_us: bool
) -> None:
    settings = TlsSettings(ca=plant.root.certificate)
    shown = explained(settings, failure(settings.context(), plant.server, serving=serving))

    assert way_out in shown
    assert blames_us == ("our certificate" in shown)


class Weak:
    """An authority, and a server that it issued; `bits` of their keys."""

    def __init__(self, folder: Path, *bits: int, sha1: bool) -> None:
        root, server = (rsa.generate_private_key(65537, one) for one in bits)
        self.ca = folder / "weak.pem"
        self.ca.write_bytes(_pem(_issued(root, "root", root, x509.BasicConstraints(ca=True, path_length=None))))
        address = x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))])
        made = _issued(root, "server", server, address)
        self.server = Issued(folder / "server.pem", folder / "server.key")
        self.server.certificate.write_bytes(_pem(_by_sha1(root, made) if sha1 else made))
        self.server.key.write_bytes(
            server.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )


def _issued(
    root: rsa.RSAPrivateKey, name: str, key: rsa.RSAPrivateKey, extension: x509.ExtensionType
) -> x509.Certificate:
    subject, issuer = (x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, one)]) for one in (name, "root"))
    now, day = datetime.now(UTC), timedelta(days=1)
    builder = x509.CertificateBuilder(issuer, subject, key.public_key(), 1, now - day, now + day)
    return builder.add_extension(extension, critical=False).sign(root, hashes.SHA256())


def _by_sha1(root: rsa.RSAPrivateKey, made: x509.Certificate) -> x509.Certificate:
    """Return it as old authorities signed: the library doesn't any more, so what names the algorithm is replaced."""
    sha256, sha1 = (bytes.fromhex(f"2a864886f70d0101{one}") for one in ("0b", "05"))  # …WithRSAEncryption
    content = made.tbs_certificate_bytes.replace(sha256, sha1)
    signature = root.sign(content, padding.PKCS1v15(), hashes.SHA1())
    whole = made.public_bytes(serialization.Encoding.DER).replace(made.signature, signature)
    return x509.load_der_x509_certificate(whole.replace(sha256, sha1))


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


@pytest.mark.parametrize(
    ("bits", "sha1", "why", "way_out"),
    [
        ((2048, 1024), False, "its key is too short", "an RSA key of 2048 bits or more"),
        ((1024, 2048), False, "its authority's key is too short", "weak.pem (tls.ca)"),
        ((2048, 2048), True, "signed with SHA-1 or MD5", "signed with SHA-256"),
    ],
    ids=["short key", "short key of the authority", "SHA-1"],
)
def test_what_can_be_broken_is_refused_with_the_way_out(
    tmp_path: Path, *, bits: tuple[int, int], sha1: bool, why: str, way_out: str
) -> None:
    weak = Weak(tmp_path, *bits, sha1=sha1)
    settings = TlsSettings(ca=weak.ca)
    shown = explained(settings, failure(settings.context(), weak.server))

    assert why in shown
    assert way_out in shown
