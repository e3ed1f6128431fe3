"""Log lines to standard error, one a line: journald adds time and unit."""

import logging
import os
from pathlib import Path

from gateway.formats.plain import escaped

_QUIET = {
    # A broken link is told once, by the driver; these print a traceback for each of its effects.
    **dict.fromkeys(("asyncua", "pymodbus"), logging.CRITICAL),
    **dict.fromkeys(("httpx", "httpcore", "uvicorn.access", "paho"), logging.ERROR),
}
_INDENT = "    "


class PlainFormatter(logging.Formatter):
    """A record is one line, whatever a device or sink put into it; the lines of its traceback are indented."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the library's name
        """Return the line."""
        record.message = escaped(record.message)
        return super().formatMessage(record)

    def formatException(self, ei: object) -> str:  # noqa: N802 - the library's name
        """Return the traceback; an error's text may hold what a device sent, so no line of it begins like a record."""
        return _indented(super().formatException(ei))  # type: ignore[arg-type]  # the library's own tuple of three

    def formatStack(self, stack_info: str) -> str:  # noqa: N802 - the library's name
        """Return the stack in the same way."""
        return _indented(super().formatStack(stack_info))


def configure(file: Path | None = None) -> None:
    """Set up logging for the process, to `file` where one is given; libraries speak only of errors."""
    under_journald = "JOURNAL_STREAM" in os.environ
    prefix = "" if under_journald else "%(asctime)s "
    handler = logging.StreamHandler() if file is None else logging.FileHandler(file)
    handler.setFormatter(PlainFormatter(f"{prefix}%(levelname)-7s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    for name, least in _QUIET.items():
        logging.getLogger(name).setLevel(least)


def _indented(lines: str) -> str:
    return _INDENT + escaped(lines, "\n").replace("\n", f"\n{_INDENT}")
