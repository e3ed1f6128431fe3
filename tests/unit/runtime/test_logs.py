"""What devices and sinks say reaches the log written out, and never as a line of its own."""

import logging
import sys

import pytest

from gateway.runtime.logs import PlainFormatter, configure

FORGED = "bad \x1b[31mvalue\0\r\n2026-11-21 10:00:00 INFO    gateway: all is well"


@pytest.fixture
def record():
    def made(message, *given, error=None):
        return logging.LogRecord("gateway.x", logging.ERROR, "x.py", 1, message, given, error)

    return made


def shown(record):
    return PlainFormatter("%(levelname)s %(name)s: %(message)s").format(record)


@pytest.mark.parametrize("given", [("sink erp: %s", FORGED), (f"sink erp: {FORGED}",)])
def test_a_record_is_one_line_without_control_characters(record, given):
    line = shown(record(*given))

    said = r"bad \x1b[31mvalue\x00\r\n2026-11-21 10:00:00 INFO    gateway: all is well"
    assert f"ERROR gateway.x: sink erp: {said}" == line


def test_a_traceback_keeps_its_lines_and_none_begins_like_a_record(record):
    try:
        int(FORGED, base=16)
    except ValueError:
        first, *rest = shown(record("it failed", error=sys.exc_info())).split("\n")

    assert "ERROR gateway.x: it failed" == first
    assert "    Traceback (most recent call last):" == rest[0]
    assert all(line.startswith("    ") and line.isprintable() for line in rest)


def test_the_whole_process_logs_like_that(tmp_path):
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    root.handlers = []  # pytest's own stay open
    configure(tmp_path / "gateway.log")
    try:
        logging.getLogger("gateway.x").warning("sink erp: %s", FORGED)
    finally:
        for handler in root.handlers:
            handler.close()
        root.handlers = before
        root.setLevel(level)

    assert 1 == (tmp_path / "gateway.log").read_text("utf-8").count("\n")
