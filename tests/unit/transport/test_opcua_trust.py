"""What is checked of a certificate that somebody pinned, and what is not."""

from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa

from gateway.transport.opcua_trust import Trust

APPLICATION = "urn:test:server"


def _bare() -> x509.Certificate:
    """Return a self-signed certificate as an old PLC makes it: without names and usages."""
    key = rsa.generate_private_key(65537, 2048)
    name, now = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "plc")]), datetime.now(UTC)
    validity = now - timedelta(1), now + timedelta(1)
    return x509.CertificateBuilder(name, name, key.public_key(), 1, *validity).sign(key, hashes.SHA256())


def test_a_certificate_without_names_and_usages_is_believed_where_it_is_pinned() -> None:
    bare = _bare()

    assert [] == list(Trust("plc", pinned=bare).faults(bare, APPLICATION))


def test_a_certificate_without_names_and_usages_is_refused_unpinned_and_pinning_is_the_way_out() -> None:
    fault = next(Trust("plc").faults(_bare(), APPLICATION))

    assert fault.why.startswith("BadCertificateInvalid")
    assert "pin it: server_certificate" in fault.way_out


def test_another_certificate_than_the_pinned_one_is_refused() -> None:
    (fault,) = Trust("plc", pinned=_bare()).faults(_bare(), APPLICATION)

    assert fault.why.startswith("BadCertificateUntrusted")
