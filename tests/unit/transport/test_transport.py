import pytest

from gateway.errors import ConfigError
from gateway.transport.address import Address, parse_address
from gateway.transport.backoff import Backoff
from gateway.transport.tls import TlsSettings, is_pem

PORTS = {"tcp": 502, "tls": 802}


def test_pauses_double_up_to_the_limit():
    backoff = Backoff(1.0, 10.0, draw=lambda: 1.0)

    assert [1, 2, 4, 8, 10, 10] == [backoff.next() for _ in range(6)]


def test_pauses_are_drawn_below_the_ceiling():
    draws = iter([0.5, 0.25])
    backoff = Backoff(1.0, 10.0, draw=lambda: next(draws))

    assert [0.5, 0.5] == [backoff.next(), backoff.next()]


def test_a_success_begins_anew():
    backoff = Backoff(1.0, 10.0, draw=lambda: 1.0)
    backoff.next()
    backoff.reset()

    assert 1 == backoff.next()


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("tcp://192.0.2.11:1502", Address("tcp", "192.0.2.11", 1502)),
        ("tcp://plc", Address("tcp", "plc", 502)),
        ("tls://plc/", Address("tls", "plc", 802)),
        ("tcp://[2001:db8::1]:502", Address("tcp", "2001:db8::1", 502)),
    ],
)
def test_an_address_is_read_from_its_url(url, expected):
    assert expected == parse_address(url, PORTS)


def test_an_address_is_shown_as_it_is_written():
    assert ["tcp://plc:502", "tcp://[2001:db8::1]:502"] == [
        str(Address("tcp", host, 502)) for host in ("plc", "2001:db8::1")
    ]


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://plc", "write tcp://host:502 or tls://host:802"),
        ("plc:502", "write tcp://host:502"),
        ("tcp://", "write tcp://host:502"),
        ("tcp://plc:99999", "has no valid port"),
        ("tcp://me:secret@plc", "never stand in an address"),
    ],
)
def test_a_wrong_address_says_what_would_be_right(url, reason):
    with pytest.raises(ValueError, match=reason):
        parse_address(url, PORTS)


def test_a_pem_file_is_told_by_its_content(tmp_path):
    key = tmp_path / "gateway.key"
    key.write_bytes(b"-----BEGIN PRIVATE KEY-----\n")

    assert is_pem(key)


def test_tls_needs_certificate_and_key_together(tmp_path):
    file = tmp_path / "gateway.pem"
    file.write_text("x")
    with pytest.raises(ValueError, match="come together"):
        TlsSettings.model_validate({"certificate": str(file)})


def test_tls_files_that_are_no_pem_are_named(tmp_path):
    file = tmp_path / "ca.pem"
    file.write_text("x")
    with pytest.raises(ConfigError, match=r"ca\.pem"):
        TlsSettings.model_validate({"ca": str(file)}).context()
