"""The folder as one checked configuration, or every fault in it at once.

gateway.yaml · devices/*.yaml, one device a file · triggers.yaml · masterdata/*.yaml
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gateway.domain.masterdata import MasterData
from gateway.domain.rule import TriggerRule
from gateway.errors import ConfigError
from gateway.settings import check_boms, check_gateway, check_master, check_quantities, check_rules
from gateway.settings.build import content, stagings
from gateway.settings.device import DeviceSettings
from gateway.settings.fault import Faults
from gateway.settings.folder import Folder
from gateway.settings.gateway_file import GatewaySettings
from gateway.settings.kind import by_kind
from gateway.settings.parsed import Parsed, valid
from gateway.settings.sink import SinkSettings
from gateway.settings.snapshot import digest, encoded


@dataclass(frozen=True, slots=True)
class Config:
    """Everything that was configured. Paths in it are absolute, quantities exact, references checked.

    `snapshot` is the JSON that `master.hash` is of. `configuration_hash` covers the devices and rules beside it:
    what is signed when a configuration is put in force in regulated mode.
    """

    root: Path
    gateway: GatewaySettings
    devices: Mapping[str, DeviceSettings]
    rules: tuple[TriggerRule, ...]
    master: MasterData
    snapshot: bytes
    configuration_hash: str

    @property
    def lines(self) -> tuple[str, ...]:
        """The gateway's production lines."""
        return tuple(one.line for one in self.gateway.lines)

    @property
    def store_path(self) -> Path:
        """The store's file: below the folder, or below $STATE_DIRECTORY where systemd sets it."""
        return self.gateway.store.path

    @property
    def archive(self) -> Path | None:
        """Where what retention deletes is archived first; None: it is just deleted."""
        beside = self.store_path.parent / "archive" if self.gateway.regulated else None
        return self.gateway.retention.archive or beside


def load(
    root: Path,
    drivers: Sequence[type[DeviceSettings]],
    sinks: Sequence[type[SinkSettings]],
    *,
    may_lack_users: bool = False,
) -> Config:
    """Return the configuration in the folder `root`; ConfigError with all its faults, a row each, where it has any.

    `may_lack_users`: also where nobody could sign yet, for those who are about to change that.
    """
    if not root.is_dir():
        raise ConfigError(f"{root} is no folder", "name the folder that has gateway.yaml")
    root, faults = root.absolute(), Faults()
    parsed = Folder(root, by_kind(drivers), by_kind(sinks), faults).parse()
    for check, needed in _CHECKS:
        if needed & parsed.unread:  # what an unread file holds would be called unknown
            continue
        if check is not check_gateway.users or not may_lack_users:
            faults.add(*check(parsed))
    faults.report()
    master = content(parsed)
    return Config(
        root=root,
        gateway=next(model for _, model in valid(parsed.gateway)),
        devices={model.device: model for _, model in valid(parsed.devices)},
        rules=tuple(model.rule() for _, model in valid(parsed.rules)),
        master=master.master(stagings(parsed)),
        snapshot=master.encoded(),
        configuration_hash=_configuration_hash(parsed, master.encoded()),
    )


def _configuration_hash(parsed: Parsed, snapshot: bytes) -> str:
    """Return the hash of what takes effect together; comments and the order of files and keys don't count."""
    devices = {entry.name: entry.data for entry in parsed.devices}
    rules = {entry.name: entry.data for entry in parsed.rules}
    return digest(encoded({"devices": devices, "rules": rules, "master_data": digest(snapshot)}))


_CHECKS = (
    *check_gateway.CHECKS,
    *check_rules.CHECKS,
    *check_master.CHECKS,
    *check_boms.CHECKS,
    *check_quantities.CHECKS,
)
