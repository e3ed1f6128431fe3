"""The demo's configuration: the example folder, pointed at the simulators' ports and sped up with them."""

import json
import secrets
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import Any

from gateway.settings.fault import Faults
from gateway.settings.source import read

Ports = Mapping[str, Mapping[str, str]]

_KEPT_BACK = "TO-1007"  # brought to the line only when its item is short, so that the demo shows a block
_FIRST_LOT = {"TO-1006": 24}  # what is there before it


@dataclass(frozen=True, slots=True)
class DemoFolder:
    """Where the demo keeps what it makes. The API's port and token are needed before the ERP starts."""

    root: Path
    api_port: int

    @classmethod
    def prepare(cls, root: Path) -> "DemoFolder":
        """Choose a free port for the API and make the tokens of both directions."""
        folder = cls(root, _free_port())
        for path in (folder.push_token, folder.pull_token):
            path.parent.mkdir(exist_ok=True)
            path.touch(mode=0o600)
            path.write_text(secrets.token_urlsafe(32), "utf-8")
        return folder

    @property
    def push_token(self) -> Path:
        """What the gateway shows the ERP."""
        return self.root / "secrets" / "erp-push-token"

    @property
    def pull_token(self) -> Path:
        """What the ERP shows the gateway."""
        return self.root / "secrets" / "erp-pull-token"

    @property
    def kept_back(self) -> Path:
        """The stagings that the demo applies later, as JSON."""
        return self.root / "kept-back.json"

    @property
    def config(self) -> Path:
        """The configuration that the gateway runs."""
        return self.root / "config"

    def write_config(self, ports: Ports, speed: float, *, short: bool = False) -> Path:
        """Write the example configuration with the simulators' addresses; return its folder.

        `short`: one staging is kept back, so that its item runs out soon.
        """
        example = example_folder()
        for path in sorted(example.rglob("*.yaml")):
            target = self.config / path.relative_to(example)
            target.parent.mkdir(parents=True, exist_ok=True)
            faults = Faults()
            source = read(example, path, faults)
            faults.report()
            data = self._adapted(source.data if source else {}, ports, Decimal(str(speed)))
            if short and "stagings" in data:
                data["stagings"] = self._without_kept_back(data["stagings"])
            target.write_text(json.dumps(data, indent=2, default=str) + "\n", "utf-8")  # JSON is YAML
        return self.config

    def _adapted(self, data: dict[str, Any], ports: Ports, speed: Decimal) -> dict[str, Any]:
        for part in ports.values():
            data.update({key: value for key, value in part.items() if key in data})
        for signal in data.get("signals", {}).values():
            if counter := signal.get("counter"):
                number, _, unit = counter["max_rate"].partition("/")
                counter["max_rate"] = f"{format(Decimal(number) * speed, 'f')}/{unit}"
                counter["burst"] = int(counter["burst"] * max(speed, 1))
        if "gateway" in data:
            token = sha256(self.pull_token.read_bytes()).hexdigest()
            data["api"] = {
                "listen": f"127.0.0.1:{self.api_port}",
                "tokens": [{"name": "erp", "role": "erp", "sha256": token}],
            }
            data["sinks"][0].update(url=ports["erp"]["url"], token={"file": str(self.push_token)})
        return data

    def _without_kept_back(self, stagings: list[dict[str, Any]]) -> list[dict[str, Any]]:
        later = [one for one in stagings if one["staging"] == _KEPT_BACK]
        self.kept_back.write_text(json.dumps(later, default=str), "utf-8")
        first = [one | {"quantity": _FIRST_LOT.get(one["staging"], one["quantity"])} for one in stagings]
        return [one for one in first if one not in later]


def example_folder() -> Path:
    """Return the example configuration: inside the installed package, or beside it in a checkout."""
    package = Path(str(files("gateway")))
    installed = package / "example"
    return installed if installed.is_dir() else package.parent / "config"


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port
