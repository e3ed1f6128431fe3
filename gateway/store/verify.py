"""Is the store what was committed? Reads the file itself, beside a running gateway or after it was killed."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

from gateway.errors import StoreError
from gateway.formats import chain
from gateway.store.batch import Head
from gateway.store.connection import connect_reader
from gateway.store.errors import store_error
from gateway.store.findings import Check, Findings, Report
from gateway.store.load import head, read_meta
from gateway.store.migrate import require_known
from gateway.store.totals import Totals, retained
from gateway.store.verification import orders, stock, work_list
from gateway.store.verification.bodies import BodyInspector
from gateway.store.verification.chained import ChainInspector, SeqInspector
from gateway.store.verification.conservation import conservation
from gateway.store.verification.entries import Entry, Inspector, entries
from gateway.store.verification.links import LinkInspector
from gateway.store.verification.reversals import reversals

Progress = Callable[[str, int], None]

_STEP = 10_000  # entries between two calls of `progress`
_MALFORMED = (KeyError, TypeError, ValueError, ArithmeticError)


def verify(path: Path, progress: Progress | None = None) -> Report:
    """Check the store in one read transaction; StoreError when the file is no store that can be read at all.

    `progress` gets the step's name and the number of entries seen so far.
    """
    if not path.is_file():
        raise StoreError(f"there is no store at {path}", "the first `run` creates it; correct store.path")
    try:
        with closing(connect_reader(path)) as connection:
            connection.execute("BEGIN")  # one snapshot: what is committed meanwhile belongs to the next verification
            require_known(connection)
            meta = read_meta(connection)
            return Report(tuple(_checks(connection, meta, progress or _silent)))
    except sqlite3.Error as error:
        raise store_error(path, error) from error


def before(meta: dict[str, str]) -> Head:
    """Return where the stored part of the chain begins: the genesis, or the last entry retention deleted."""
    if "retained_hash" not in meta:
        return Head(0, chain.genesis(meta["gateway"], meta["store"]), 0)
    return Head(int(meta["retained_position"]), bytes.fromhex(meta["retained_hash"]), int(meta["retained_seq"]))


def _checks(connection: sqlite3.Connection, meta: dict[str, str], progress: Progress) -> Iterator[Check]:
    try:
        progress("integrity", 0)
        yield _integrity(connection)
        totals = retained(connection)
        yield from _inspected(connection, meta, totals, progress)
        progress("balances", 0)
        yield from _recounted(connection, meta, totals)
    except sqlite3.DatabaseError as error:
        yield Check("readable", ok=False, detail=f"{error}; what follows was not checked")


def _integrity(connection: sqlite3.Connection) -> Check:
    findings = Findings("integrity")
    for (answer,) in connection.execute("PRAGMA integrity_check"):
        if answer != "ok":
            findings.add(answer)
    return findings.check("SQLite's own structures are sound")


def _inspected(
    connection: sqlite3.Connection, meta: dict[str, str], totals: Totals, progress: Progress
) -> Iterator[Check]:
    ends = before(meta), head(meta)
    inspectors: tuple[Inspector, ...] = (
        SeqInspector(*ends),
        ChainInspector(*ends),
        BodyInspector(connection, meta, ends[0], totals),
        LinkInspector(connection, totals),
    )
    unreadable = Findings("readable")
    for number, entry in enumerate(entries(connection), 1):
        _inspect(entry, inspectors, unreadable)
        if number % _STEP == 0:
            progress("postings", number)
    yield unreadable.check("every entry could be read")
    for one in inspectors:
        yield _asked(one.name, one.finish)


def _inspect(entry: Entry, inspectors: tuple[Inspector, ...], unreadable: Findings) -> None:
    for one in inspectors:
        try:
            one.take(entry)
        except _MALFORMED as error:
            unreadable.add(f"position {entry.position}: {type(error).__name__} {error}")


def _recounted(connection: sqlite3.Connection, meta: dict[str, str], totals: Totals) -> Iterator[Check]:
    questions: tuple[tuple[str, Callable[[], Check]], ...] = (
        ("conservation", lambda: conservation(connection, totals)),
        ("lots", lambda: stock.lots(connection, totals)),
        ("requirements", lambda: orders.requirements(connection, totals)),
        ("units", lambda: orders.spans(connection, totals)),
        ("reversals", lambda: reversals(connection)),
        ("work list", lambda: work_list.work_list(connection)),
        ("consumers", lambda: work_list.consumers(connection, head(meta).seq)),
    )
    for name, ask in questions:
        yield _asked(name, ask)


def _asked(name: str, ask: Callable[[], Check]) -> Check:
    try:
        return ask()
    except _MALFORMED as error:
        return Check(name, ok=False, detail=f"a row can't be read: {type(error).__name__} {error}")


def _silent(step: str, number: int) -> None:
    """Report to nobody."""
