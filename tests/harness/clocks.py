"""A gateway whose wall clock a test sets, as an operator or a bad time server would; its other clocks go on."""

from pathlib import Path
from types import MappingProxyType

from tests.harness.process import ROOT
from tests.harness.required import missing

_LIBRARIES = tuple(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))


class FakeClock:
    """The wall clock of every process that is started with `environment`."""

    def __init__(self, folder: Path) -> None:
        if not _LIBRARIES:
            missing("libfaketime is not installed")
        self._file = folder / "clock-offset"
        self.set(0)
        self.environment = MappingProxyType(
            {
                "LD_PRELOAD": str(_LIBRARIES[0]),
                "FAKETIME_TIMESTAMP_FILE": str(self._file),
                "FAKETIME_NO_CACHE": "1",
                "FAKETIME_DONT_FAKE_MONOTONIC": "1",
                "PYTHONPATH": str(ROOT),  # a program that was forked wouldn't load the library
            }
        )

    def set(self, seconds: int) -> None:
        """Put the wall clock so many seconds off the true time, at once."""
        beside = self._file.with_suffix(".new")
        beside.write_text(f"{seconds:+}\n")
        beside.replace(self._file)
