"""Reading the files of the folder: each entry validated by its own model, every fault kept."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from gateway.settings.base import Settings
from gateway.settings.bom import BomSettings
from gateway.settings.device import DeviceSettings
from gateway.settings.fault import Fault, Faults, Step
from gateway.settings.gateway_file import GatewaySettings
from gateway.settings.kind import validate_kind
from gateway.settings.masterdata import (
    ItemSettings,
    MasterDataFile,
    OrderSettings,
    ReasonSettings,
    StagingSettings,
    UnitSettings,
)
from gateway.settings.messages import Schema, translate
from gateway.settings.parsed import Entry, Parsed
from gateway.settings.schema import gateway_schema, model_schema
from gateway.settings.sink import SinkSettings
from gateway.settings.source import Source, read
from gateway.settings.triggers import RuleSettings, TriggersFile

M = TypeVar("M", bound=Settings)


@dataclass(frozen=True, slots=True)
class Folder:
    """The folder at `root`, the models of its devices and sinks by kind, and where faults are kept."""

    root: Path
    drivers: Mapping[str, type[DeviceSettings]]
    sinks: Mapping[str, type[SinkSettings]]
    faults: Faults

    def parse(self) -> Parsed:
        """Return every entry of every file that can be read."""
        devices, masterdata = self._folder("devices"), self._folder("masterdata")
        gateway, triggers = [self._read("gateway.yaml")], [self._read("triggers.yaml")]
        self._shells(triggers, TriggersFile)
        self._shells(masterdata, MasterDataFile)
        kinds = {"gateway": gateway, "devices": devices, "triggers": triggers, "masterdata": masterdata}
        return Parsed(
            unread=frozenset(kind for kind, sources in kinds.items() if not all(map(_readable, sources))),
            root=self.root,
            lines=tuple(_name("{line}", data) for _, _, data in _listed(gateway, "lines")),
            gateway=[self._gateway(source) for source in gateway if source],
            devices=[self._device(source) for source in devices if source],
            rules=self._entries(triggers, "triggers", RuleSettings, "{trigger}"),
            items=self._entries(masterdata, "items", ItemSettings, "{item}"),
            units=self._entries(masterdata, "units", UnitSettings, "{from} to {to}"),
            boms=self._entries(masterdata, "boms", BomSettings, "{bom} version {version}"),
            orders=self._entries(masterdata, "orders", OrderSettings, "{order}"),
            stagings=self._entries(masterdata, "stagings", StagingSettings, "{staging}"),
            reasons=self._entries(masterdata, "reasons", ReasonSettings, "{reason}"),
        )

    def _read(self, file: str) -> Source | None:
        return read(self.root, self.root / file, self.faults)

    def _folder(self, name: str) -> list[Source | None]:
        folder = self.root / name
        # Both spellings: a file that is silently left out is the worst of configurations.
        files = sorted(path for path in folder.glob("*.y*ml") if path.suffix in (".yaml", ".yml"))
        if not files:
            found = "has no .yaml file" if folder.is_dir() else "does not exist"
            self.faults.add(Fault(f"{name}/", 1, "", f"the folder {found}"))
            return [None]
        return [read(self.root, path, self.faults) for path in files]

    def _gateway(self, source: Source) -> Entry[GatewaySettings]:
        model = self._valid(
            source, (), source.data, GatewaySettings, partial(gateway_schema, list(self.sinks.values()))
        )
        return Entry("gateway", source, (), model)

    def _device(self, source: Source) -> Entry[DeviceSettings]:
        kind = source.data.get("kind") if isinstance(source.data, dict) else None
        described = partial(model_schema, self.drivers.get(str(kind), DeviceSettings))
        try:
            model = validate_kind(self.drivers, source.data, {"root": self.root})
        except ValidationError as error:
            self.faults.add(*translate(error, source, (), described))
            return Entry(_name("{device}", source.data), source, (), None)
        return Entry(model.device, source, (), model)

    def _shells(self, sources: Sequence[Source | None], model: type[Settings]) -> None:
        """Look at the keys of each file alone; `_entries` looks into their lists."""
        for source in sources:
            if source:
                shell = source.data
                if isinstance(shell, dict):
                    shell = {key: [] if isinstance(value, list) else value for key, value in shell.items()}
                self._valid(source, (), shell, model, partial(model_schema, model))

    def _entries(self, sources: Sequence[Source | None], key: str, model: type[M], name: str) -> list[Entry[M]]:
        described = partial(model_schema, model)
        return [
            Entry(_name(name, data), source, path, self._valid(source, path, data, model, described))
            for source, path, data in _listed(sources, key)
        ]

    def _valid(
        self, source: Source, path: tuple[Step, ...], data: Any, model: type[M], schema: Callable[[], Schema]
    ) -> M | None:
        try:
            return model.model_validate(data, context={"root": self.root, "sinks": self.sinks})
        except ValidationError as error:
            self.faults.add(*translate(error, source, path, schema))
            return None


def _readable(source: Source | None) -> bool:
    """Tell whether the entries of a file can be known at all, valid or not."""
    if source is None or not isinstance(source.data, dict):
        return False
    lists = (*TriggersFile.model_fields, *MasterDataFile.model_fields)
    return all(isinstance(source.data.get(key, []), list) for key in lists)


def _listed(sources: Sequence[Source | None], key: str) -> Iterator[tuple[Source, tuple[Step, ...], Any]]:
    """Yield (file, path, data) of each entry of the lists that stand under `key`."""
    for source in sources:
        listed = source.data.get(key) if source and isinstance(source.data, dict) else None
        if source and isinstance(listed, list):
            yield from ((source, (key, index), data) for index, data in enumerate(listed))


def _name(form: str, data: Any) -> str:
    """Return what an entry calls itself, valid or not; empty where it doesn't say."""
    try:
        return form.format_map(data)
    except (KeyError, TypeError, AttributeError):
        return ""
