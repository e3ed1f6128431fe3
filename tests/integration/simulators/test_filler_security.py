"""A secured FILLER-1 admits one user over an encrypted channel and nobody else."""

from datetime import UTC, datetime, timedelta

import pytest
from asyncua import Client
from asyncua.crypto.security_policies import SecurityPolicyBasic256Sha256
from asyncua.ua import UaError
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from simulators.ledger import Ledger
from simulators.opcua_plc import FillerPlc, FillerSettings


def make_certificate(folder, name):
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    usage = {
        name: not name.endswith("_only")
        for name in (
            "digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
            "key_cert_sign", "crl_sign", "encipher_only", "decipher_only",
        )
    }  # fmt: skip
    uses = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
    certificate = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.UniformResourceIdentifier(f"urn:{name}")]), critical=False)
        .add_extension(x509.KeyUsage(**usage), critical=False)
        .add_extension(x509.ExtendedKeyUsage(uses), critical=False)
        .sign(key, hashes.SHA256())
    )
    paths = folder / f"{name}.pem", folder / f"{name}.key"
    paths[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    plain = serialization.NoEncryption()
    paths[1].write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain))
    return paths


@pytest.fixture
async def filler(tmp_path):
    certificate, key = make_certificate(tmp_path, "filler")
    settings = FillerSettings(certificate=certificate, private_key=key, user="backflush", password="right")
    plc = FillerPlc(Ledger(tmp_path / "truth"), settings)
    await plc.start()
    yield plc
    await plc.stop()


async def make_client(filler, tmp_path, password):
    certificate, key = make_certificate(tmp_path, "client")
    client = Client(filler.endpoint, timeout=60)
    client.application_uri = "urn:client"
    pem_key = tmp_path / "client-key.pem"  # asyncua reads a PEM named .key as DER
    pem_key.write_bytes(key.read_bytes())
    await client.set_security(SecurityPolicyBasic256Sha256, certificate, pem_key)
    client.set_user("backflush")
    client.set_password(password)
    return client


async def test_the_right_user_reads_over_an_encrypted_channel(filler, tmp_path):
    async with await make_client(filler, tmp_path, "right") as client:
        assert 1 == await client.get_node("ns=2;s=Filler.Boot").read_value()


async def test_a_wrong_password_is_refused(filler, tmp_path):
    client = await make_client(filler, tmp_path, "wrong")

    with pytest.raises(UaError):
        await client.connect()


async def test_an_anonymous_client_without_encryption_is_refused(filler):
    with pytest.raises((UaError, ConnectionError, TimeoutError)):
        await Client(filler.endpoint, timeout=2).connect()
