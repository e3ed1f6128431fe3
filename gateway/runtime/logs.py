"""Log lines to standard error, one a line: journald adds time and unit."""

import logging
import os
from pathlib import Path

_QUIET = {
    # A broken link is told once, by the driver; these print a traceback for each of its effects.
    **dict.fromkeys(("asyncua", "pymodbus"), logging.CRITICAL),
    **dict.fromkeys(("httpx", "httpcore", "uvicorn.access", "paho"), logging.ERROR),
}


def configure(file: Path | None = None) -> None:
    """Set up logging for the process, to `file` where one is given; libraries speak only of errors."""
    under_journald = "JOURNAL_STREAM" in os.environ
    prefix = "" if under_journald else "%(asctime)s "
    form = f"{prefix}%(levelname)-7s %(name)s: %(message)s"
    logging.basicConfig(level=logging.INFO, format=form, filename=file, force=True)
    for name, least in _QUIET.items():
        logging.getLogger(name).setLevel(least)
