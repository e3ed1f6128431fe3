"""What the commands write to the store themselves is as readable as what the gateway takes."""

import pytest

from tests.unit.cli.conftest import Daemon
from tests.unit.cli.test_commands import Gateway


@pytest.mark.parametrize("words", [("--reason", " "), ("--reason", "died\nagain"), ("--reason", "died", "--by", " ")])
@pytest.mark.parametrize("command", ["restore", "new-store"])
def test_who_does_it_and_why_have_to_be_readable(
    daemon: Daemon, gateway: Gateway, command: str, words: tuple[str, ...]
) -> None:
    backup = [daemon.config / "backup.db"] if command == "restore" else []
    outcome = gateway(command, daemon.config, *backup, *words)

    assert 2 == outcome.code
    assert "Invalid value for '--" in outcome.error
    assert not (daemon.config / "var" / "gateway.db").exists()
