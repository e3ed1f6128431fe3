"""What the HTTP sink refuses to be configured with."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from gateway.errors import ConfigError
from gateway.sinks.http import HttpSink, HttpSinkSettings


def make_settings(**changes: object) -> HttpSinkSettings:
    return HttpSinkSettings.model_validate({"sink": "erp", "kind": "http", "url": "http://127.0.0.1/"} | changes)


@pytest.mark.parametrize("url", ["central", "ftp://central/", "http://", "http://a:b@central/", "http://[::1"])
def test_a_url_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(ValidationError):
        make_settings(url=url)


@pytest.mark.parametrize("name", ["token", "access_token", "api-key", "sig", "Password"])
def test_a_secret_in_the_url_is_refused_without_showing_it(name: str) -> None:
    with pytest.raises(ValidationError) as caught:
        make_settings(url=f"https://central/p?plant=1&{name}=correct-horse")
    (error,) = caught.value.errors()

    assert f"Value error, {name}=… in a URL stands in logs; use token: {{file: …}}" in error["msg"]
    assert "correct-horse" not in error["msg"]


def test_a_url_may_have_other_parameters() -> None:
    assert "https://central/p?plant=1" == make_settings(url="https://central/p?plant=1").url


@pytest.mark.parametrize("content", ["", "two\nlines", "Schlüssel"])
def test_a_token_that_is_none_is_refused_without_showing_it(tmp_path: Path, content: str) -> None:
    (tmp_path / "token").write_text(content)

    with pytest.raises(ConfigError) as caught:
        HttpSink(make_settings(token={"file": str(tmp_path / "token")}))

    assert not content or content not in str(caught.value)
