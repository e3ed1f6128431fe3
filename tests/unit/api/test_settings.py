"""The API's settings."""

import pytest
from pydantic import ValidationError

from gateway.settings.api import ApiSettings, TokenSettings
from gateway.settings.consumer import ConsumerSettings

HASH = "ab" * 32


@pytest.mark.parametrize(
    ("listen", "host", "port"),
    [("127.0.0.1:8080", "127.0.0.1", 8080), ("[::1]:0", "::1", 0), ("gateway.local:443", "gateway.local", 443)],
)
def test_listen_is_an_address_and_a_port(listen: str, host: str, port: int) -> None:
    settings = ApiSettings(listen=listen, allow_plaintext=True)

    assert (host, port) == (settings.host, settings.port)


def test_it_listens_on_loopback_unless_told_otherwise() -> None:
    assert ApiSettings().host == "127.0.0.1"


@pytest.mark.parametrize("listen", ["8080", ":8080", "localhost", "localhost:65536", "::1:80", "a b:80", "x:-1"])
def test_anything_else_is_refused(listen: str) -> None:
    with pytest.raises(ValidationError, match="no address:port"):
        ApiSettings(listen=listen)


@pytest.mark.parametrize(
    "token",
    [
        pytest.param({"name": "", "role": "erp", "sha256": HASH}, id="no name"),
        pytest.param({"name": "a", "role": "root", "sha256": HASH}, id="unknown role"),
        pytest.param({"name": "a", "role": "erp", "sha256": HASH.upper()}, id="upper case"),
        pytest.param({"name": "a", "role": "erp", "sha256": "s3cret"}, id="the token itself"),
        pytest.param({"name": "a", "role": "erp", "sha256": HASH, "expires": "2027-01-01T00:00:00"}, id="no time zone"),
    ],
)
def test_a_wrong_token_entry_is_refused(token: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        TokenSettings.model_validate(token)


def test_an_expiry_may_be_written_as_text() -> None:
    token = TokenSettings.model_validate(
        {"name": "a", "role": "erp", "sha256": HASH, "expires": "2027-01-01T00:00:00Z"}
    )

    assert token.expires is not None


@pytest.mark.parametrize(("other", "what"), [({"name": "b"}, "sha256"), ({"sha256": "cd" * 32}, "name")])
def test_two_tokens_are_never_alike(other: dict[str, str], what: str) -> None:
    first = {"name": "a", "role": "erp", "sha256": HASH}

    with pytest.raises(ValidationError, match=f"the same {what}"):
        ApiSettings.model_validate({"tokens": [first, first | other]})


def test_a_consumer_name_fits_into_a_url() -> None:
    with pytest.raises(ValidationError):
        ConsumerSettings(consumer="erp/north", required=True)
