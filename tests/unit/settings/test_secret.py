import pytest

from gateway.errors import ConfigError
from gateway.settings.base import Secret


def test_a_secret_is_read_from_the_environment(monkeypatch):
    monkeypatch.setenv("ERP_TOKEN", "geheim")

    assert Secret(env="ERP_TOKEN").read() == "geheim"


def test_an_unset_variable_is_named(monkeypatch):
    monkeypatch.delenv("ERP_TOKEN", raising=False)

    with pytest.raises(ConfigError, match="ERP_TOKEN is not set"):
        Secret(env="ERP_TOKEN").read()


def test_a_systemd_credential_is_a_file_in_its_folder(monkeypatch, tmp_path):
    (tmp_path / "erp").write_text("geheim\n", "utf-8")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))

    assert Secret(credential="erp").read() == "geheim"


def test_a_credential_that_is_not_there_is_named(monkeypatch, tmp_path):
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))

    with pytest.raises(ConfigError, match="erp can't be read: No such file"):
        Secret(credential="erp").read()
