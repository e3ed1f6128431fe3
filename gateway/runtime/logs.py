"""Log lines to standard error, one a line: journald adds time and unit."""

import logging
import os

_QUIET = ("asyncua", "pymodbus", "httpx", "httpcore", "uvicorn.access", "paho")


def configure(level: int = logging.INFO) -> None:
    """Set up logging for the process; libraries speak only of warnings."""
    under_journald = "JOURNAL_STREAM" in os.environ
    prefix = "" if under_journald else "%(asctime)s "
    logging.basicConfig(level=level, format=f"{prefix}%(levelname)-7s %(name)s: %(message)s", force=True)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.ERROR)
