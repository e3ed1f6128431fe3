"""Records, mappings and tables of strangers' words, fit for a terminal."""

import io
import json
import shutil
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import NamedTuple

import pytest
from rich.console import Console

from gateway.cli.app import main
from gateway.cli.plain import PlainTable, plain, plain_json
from gateway.cli.work_list import alike, sentence
from gateway.domain.exception import ExceptionKind
from gateway.errors import GatewayError
from tests.unit.cli.conftest import EXAMPLE
from tests.unit.store.samples import make_exception

BAD, SHOWN = "\x1b[31mred\0\nforged", r"\x1b[31mred\x00\nforged"


class Pair(NamedTuple):
    first: str
    second: Decimal


@dataclass(frozen=True, slots=True)
class Record:
    name: str
    many: tuple[Pair, ...]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (BAD, SHOWN),
        ([BAD, 1, None], [SHOWN, 1, None]),
        ({BAD: {"deep": (BAD,)}}, {SHOWN: {"deep": (SHOWN,)}}),
        (Record(BAD, (Pair(BAD, Decimal(1)),)), Record(SHOWN, (Pair(SHOWN, Decimal(1)),))),
        (b"\x1b", b"\x1b"),
        (Record, Record),
    ],
)
def test_text_is_written_out_wherever_it_stands(value, shown):
    assert shown == plain(value)


def test_what_has_nothing_of_it_is_the_same():
    assert ExceptionKind.GAP is plain(ExceptionKind.GAP)


def test_json_for_people_is_the_same_json_and_shows_nothing_raw():
    said = plain_json({"key": "\x9b2J \u202e \U000e0001 é"})

    assert {"key": "\x9b2J \u202e \U000e0001 é"} == json.loads(said)
    assert all(one.isprintable() or one == "\n" for one in said)


def test_a_table_shows_no_control_characters():
    table = PlainTable("reason")
    table.add_row(BAD)
    console = Console(file=io.StringIO(), width=80)
    console.print(table)
    said = console.file.getvalue()

    assert r"\x1b[31mred\x00" in said
    assert not set("\x1b\0") & set(said)


def test_an_entry_of_the_work_list_is_plain_in_status():
    (group,) = map(plain, alike([replace(make_exception(1, 1), reason=BAD)]))

    assert SHOWN in sentence(group)


def test_an_error_shows_what_came_from_outside_written_out(capsys, monkeypatch):
    def refused():
        raise GatewayError("the sink says \x1b[31m", "line one\nline \x9btwo")

    monkeypatch.setattr("gateway.cli.app.app", refused)
    with pytest.raises(SystemExit):
        main()

    assert "the sink says \\x1b[31m\n→ line one\nline \\x9btwo\n" == capsys.readouterr().err


def test_status_shows_what_a_sink_said_written_out(tmp_path, gateway, monkeypatch):
    folder = tmp_path / "config"
    shutil.copytree(EXAMPLE, folder)
    erp = {"link": "degraded", "detail": f"refused: {BAD}"}
    running = {"started_at": "now", "store_state": "ok", "unsafe": [BAD], "troubles": {"sink erp": BAD}}
    monkeypatch.setattr("gateway.cli.status.ask", lambda *_: {**running, "devices": {}, "sinks": {"erp": erp}})
    said = gateway("status", folder).output

    assert 3 == said.count(r"\x1b[31mred\x00\nforged")
    assert not set("\x1b\0") & set(said)
