"""`gateway token`."""

import re
from hashlib import sha256

import typer
import yaml
from typer.testing import CliRunner

from gateway.cli.token import token
from gateway.settings.api import ApiSettings

APP = typer.Typer()
APP.command()(token)


def test_it_prints_a_token_and_the_entry_that_knows_it_by_its_hash() -> None:
    output = CliRunner().invoke(APP, ['ERP "north"', "erp"]).output
    secret = re.search(r"once\): (\S{43})\n", output)
    entry = yaml.safe_load(output[output.index("    - ") :])
    settings = ApiSettings.model_validate({"tokens": entry})

    assert secret is not None
    assert sha256(secret[1].encode()).hexdigest() == settings.tokens[0].sha256
    assert settings.tokens[0].name == 'ERP "north"'


def test_two_calls_never_print_the_same_token() -> None:
    first, second = (CliRunner().invoke(APP, ["a", "viewer"]).output for _ in range(2))

    assert first != second


def test_an_unknown_role_is_refused_with_the_known_ones() -> None:
    result = CliRunner().invoke(APP, ["a", "root"])

    assert result.exit_code == 2
    assert "viewer, operator, supervisor, quality, erp, admin" in " ".join(result.output.replace("│", " ").split())
