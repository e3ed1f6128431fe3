"""`gateway demo` as a person runs it, and what reconcile and verify say when one posting is gone or there twice."""

import re
import shutil
import signal
import sqlite3
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import pytest

from tests.harness.process import Process
from tests.harness.until import until

_SIGNALS = {"CAPPER-1.capped", "FILLER-1.good", "FILLER-1.reject", "PACKER-1.case_sealed", "SCALE-1.net_weight"}
_BALANCED = re.compile(
    r"^(\S+) +made (\S+) · posted (\S+) · held (\S+) · scrapped (\S+) · reversed (\S+) · lost 0 · doubled 0 ?\S*$",
    re.MULTILINE,
)
_DOUBLE_A_POSTING = (
    "INSERT INTO posting (seq, position, order_no, operation, posting_type, posted_at, body) "
    "SELECT seq + 100000, position + 100000, order_no, operation, posting_type, posted_at, body FROM posting "
    "WHERE seq = 7"
)

pytestmark = pytest.mark.timeout(300)


def demo(folder: Path, *options: object, environment: dict[str, str] | None = None) -> Process:
    arguments = ("gateway", "demo", "--dir", folder / "demo", *options)
    return Process.python(arguments, folder / "demo.log", {"COLUMNS": "200", **(environment or {})})


def command(folder: Path, name: str) -> tuple[int, str]:
    with Process.python(("gateway", name, folder), folder / f"{name}.log") as process:
        return process.ended(), process.output


def alter(database: Path, statement: str) -> None:
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute(statement)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, int, str]:
    """A demo's folder, exit code and output."""
    folder = tmp_path_factory.mktemp("demo")
    with demo(folder, "--seconds", 12, "--speed", 8) as process:
        return folder / "demo", process.ended(within=200), process.output


@pytest.fixture
def kept(finished: tuple[Path, int, str], tmp_path: Path) -> Path:
    """A copy of the finished demo's folder that a test may spoil."""
    copy = tmp_path / "kept"
    shutil.copytree(finished[0], copy)
    return copy


def test_the_demo_balances_every_signal_and_exits_0(finished: tuple[Path, int, str]) -> None:
    _, code, output = finished
    rows = {name: [Decimal(one) for one in numbers] for name, *numbers in _BALANCED.findall(output)}

    assert (0, _SIGNALS) == (code, set(rows)), output
    for made, *places in rows.values():
        assert made == sum(places)
    assert sum(rows[name][0] for name in _SIGNALS) > 200


def test_a_kept_demo_is_reconciled_and_verified_again(kept: Path) -> None:
    results = [command(kept, name) for name in ("reconcile", "verify")]

    assert [0, 0] == [code for code, _ in results], results


@pytest.mark.parametrize(
    "statement",
    [
        pytest.param("DELETE FROM posting WHERE seq = 7", id="deleted"),
        pytest.param(_DOUBLE_A_POSTING, id="doubled"),
    ],
)
def test_a_posting_deleted_or_doubled_in_the_store_is_found_by_both_commands(kept: Path, statement: str) -> None:
    alter(kept / "config" / "var" / "gateway.db", statement)
    results = [command(kept, name) for name in ("reconcile", "verify")]

    assert [1, 1] == [code for code, _ in results], results


@pytest.mark.parametrize(
    "statement",
    [
        pytest.param("DELETE FROM booking WHERE seq = 7", id="deleted"),
        pytest.param(
            "INSERT INTO booking SELECT gateway, store, seq + 100000, hash, json_set(body, '$.seq', seq + 100000), "
            "via, booked_at FROM booking WHERE seq = 7",
            id="doubled",
        ),
        pytest.param(
            "INSERT INTO booking SELECT gateway, 'ANOTHER', seq, hash, body, via, booked_at FROM booking WHERE seq = 7",
            id="doubled under another store",
        ),
    ],
)
def test_a_booking_deleted_or_doubled_in_the_erp_is_found_by_reconcile(kept: Path, statement: str) -> None:
    alter(kept / "erp.db", statement)
    code, output = command(kept, "reconcile")

    assert code == 1, output


def test_ctrl_c_ends_the_demo_with_the_reconciliation(tmp_path: Path) -> None:
    with demo(tmp_path, "--seconds", 600, "--speed", 8) as process:
        _wait_for_a_posting(tmp_path / "demo", process)
        process.signal(signal.SIGINT)
        code = process.ended(within=200)

        assert code == 0, process.output
        assert set(dict.fromkeys(name for name, *_ in _BALANCED.findall(process.output))) >= {"FILLER-1.good"}
        assert "Traceback" not in process.output


def test_a_demo_without_its_broker_library_says_what_to_install(tmp_path: Path) -> None:
    blocked = tmp_path / "blocked"
    blocked.mkdir()
    (blocked / "sitecustomize.py").write_text(
        "import importlib.util as u\n"
        "found = u.find_spec\n"
        "u.find_spec = lambda name, package=None: None if name == 'amqtt' else found(name, package)\n",
        "utf-8",
    )
    with demo(tmp_path, environment={"PYTHONPATH": str(blocked)}) as process:
        code = process.ended()

        assert code == 2, process.output
        assert "pip install 'backflush-gateway[demo]'" in process.output
        assert not (tmp_path / "demo").exists()


def _wait_for_a_posting(folder: Path, process: Process) -> None:
    def posted() -> bool:
        try:
            with closing(sqlite3.connect(f"file:{folder}/config/var/gateway.db?mode=ro", uri=True)) as store:
                return bool(store.execute("SELECT 1 FROM posting LIMIT 1").fetchone())
        except sqlite3.OperationalError:  # not there yet
            return False

    until(lambda: posted() or not process.running, within=60, what=lambda: process.output)
