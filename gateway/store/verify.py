"""Is the store what was committed? Reads the file itself, beside a running gateway or after it was killed."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path

from gateway.errors import StoreError
from gateway.formats import chain
from gateway.store.batch import Head
from gateway.store.columns import column_types
from gateway.store.connection import connect_reader
from gateway.store.errors import code_of, store_error
from gateway.store.findings import Check, Findings, Report
from gateway.store.lineage import Lineage, read_lineage
from gateway.store.load import head, load, read_meta
from gateway.store.malformed import MALFORMED, in_words
from gateway.store.reading import require_file, require_founded
from gateway.store.totals import TotalKey, Totals, retained
from gateway.store.verification import orders, stock, work_list
from gateway.store.verification.bodies import BodyInspector
from gateway.store.verification.chained import ChainInspector, SeqInspector
from gateway.store.verification.conservation import conservation
from gateway.store.verification.counters import End, counters
from gateway.store.verification.entries import Entry, Inspector, Walk
from gateway.store.verification.links import LinkInspector
from gateway.store.verification.records import RecordInspector, snapshots
from gateway.store.verification.reversals import reversals
from gateway.store.verification.scope import restrict
from gateway.store.verification.signatures import NAME, newest, signatures
from gateway.store.verified import LIVE, Verified, reached

Progress = Callable[[str, int], None]

_PIECE = 1000  # postings looked at in one read transaction: while it lasts the log can't be written back
_OFTEN = 100_000  # instructions of SQLite's between two questions whether to stop


def silent(step: str, number: int) -> None:
    """Report to nobody: a progress that nobody looks at."""


class _DeletedMeanwhileError(Exception):
    """Retention has deleted what was looked at already: begin again."""


def verify(
    path: Path,
    progress: Progress = silent,
    *,
    since_checkpoint: bool = False,
    trusted: str = "",
    stopped: Callable[[], bool] | None = None,
) -> Report:
    """Check everything that is committed by the end; StoreError when the file is no store that can be read at all.

    `since_checkpoint`: only what came behind the newest signed checkpoint, where there is one to go on from: by the
    key `trusted` (its id), or by any that the store has chained. `progress` gets the step's name and the number of
    entries seen so far, between two steps and between the read transactions of the long one. It ends with a StoreError
    soon after `stopped` says so.
    """
    require_file(path)
    if not path.exists():
        raise StoreError(f"there is no store at {path}", "the first `run` creates it; correct store.path")
    while True:
        try:
            with closing(connect_reader(path)) as connection:
                connection.set_progress_handler(stopped, _OFTEN)
                return _verified(connection, progress, trusted if since_checkpoint else None)
        except _DeletedMeanwhileError:
            continue
        except sqlite3.Error as error:
            raise store_error(path, error) from error


def before(meta: dict[str, str], lineage: Lineage) -> Head:
    """Return where the stored part of the chain begins: the genesis, or the last entry retention deleted."""
    if "retained_hash" not in meta:
        return Head(0, chain.genesis(lineage.gateway, lineage.first), 0)
    return Head(int(meta["retained_position"]), bytes.fromhex(meta["retained_hash"]), int(meta["retained_seq"]))


def _verified(connection: sqlite3.Connection, progress: Progress, trusted: str | None) -> Report:
    require_founded(connection)
    seen, checks = (None, []) if trusted is None else _newest(connection, trusted)
    totals = Totals()
    checks += _checks(connection, seen, totals, progress)
    is_fine = all(one.ok for one in checks)
    return Report(tuple(checks), reached(connection, totals) if is_fine else None, seen.head if seen else None)


def _newest(connection: sqlite3.Connection, trusted: str) -> tuple[Verified | None, list[Check]]:
    """Read checkpoint, totals and keys in one read transaction: the daemon may sign the next one meanwhile."""
    connection.execute("BEGIN")
    try:
        return newest(connection, trusted)
    except MALFORMED as error:
        return None, [Check(NAME, ok=False, detail=f"a row can't be read: {in_words(error)}")]
    finally:
        connection.execute("ROLLBACK")


def _checks(
    connection: sqlite3.Connection, seen: Verified | None, totals: Totals, progress: Progress
) -> Iterator[Check]:
    try:
        if seen is None:
            progress("integrity", 0)
            yield _integrity(connection)
            yield column_types(connection)
        else:
            restrict(connection, seen)
        yield from _inspected(connection, seen, totals, progress)
        progress("balances", 0)
        totals.add(one for one in retained(connection).items() if one[0].kind == LIVE)
        yield from _recounted(connection, totals, seen)
        if seen is None:
            yield _asked("state", lambda: _loaded(connection))
            yield _asked("checkpoints", lambda: signatures(connection))
    except sqlite3.DatabaseError as error:
        if code_of(error) == sqlite3.SQLITE_INTERRUPT:
            raise
        yield Check("readable", ok=False, detail=f"{error}; what follows was not checked")
    except MALFORMED as error:
        yield Check(
            "readable", ok=False, detail=f"a row can't be read: {in_words(error)}; what follows was not checked"
        )


def _integrity(connection: sqlite3.Connection) -> Check:
    findings = Findings("integrity")
    for (answer,) in connection.execute("PRAGMA integrity_check"):
        if answer != "ok":
            findings.add(answer)
    return findings.check("SQLite's own structures are sound")


def _inspected(
    connection: sqlite3.Connection, seen: Verified | None, totals: Totals, progress: Progress
) -> Iterator[Check]:
    """Walk along the chain; the last read transaction stays open, so that all that follows is of its moment."""
    connection.execute("BEGIN")
    meta = read_meta(connection)
    lineage = read_lineage(connection, meta)
    if seen and before(meta, lineage).position > seen.head.position:
        raise _DeletedMeanwhileError
    begin = seen.head if seen else before(meta, lineage)
    totals.add(seen.totals.items() if seen else _deleted(connection))
    inspectors: tuple[Inspector, ...] = (
        SeqInspector(connection, begin),
        ChainInspector(connection, begin),
        BodyInspector(connection, lineage, begin, totals, before(meta, lineage).seq),
        LinkInspector(connection, totals),
        RecordInspector(connection, every=begin.position == 0),
    )
    unreadable = Findings("readable")
    for entry in _walked(connection, begin, lineage, progress):
        _inspect(entry, inspectors, unreadable)
    yield unreadable.check("every entry could be read")
    for one in inspectors:
        yield _asked(one.name, one.finish)


def _walked(connection: sqlite3.Connection, begin: Head, lineage: Lineage, progress: Progress) -> Iterator[Entry]:
    """Yield the chain's entries behind `begin`, each piece in a read transaction of its own; the last stays open."""
    walk = Walk(begin.seq, begin.position)
    while True:
        entries, is_last = walk.piece(connection, _PIECE)
        yield from entries
        if is_last:
            return
        connection.execute("ROLLBACK")
        progress("postings", walk.seen)
        connection.execute("BEGIN")
        if before(read_meta(connection), lineage).seq > begin.seq:
            raise _DeletedMeanwhileError


def _deleted(connection: sqlite3.Connection) -> Iterator[tuple[TotalKey, Decimal]]:
    return (one for one in retained(connection).items() if one[0].kind != LIVE)


def _inspect(entry: Entry, inspectors: tuple[Inspector, ...], unreadable: Findings) -> None:
    for one in inspectors:
        try:
            one.take(entry)
        except MALFORMED as error:
            unreadable.add(f"position {entry.position}: {in_words(error)}")


def _recounted(connection: sqlite3.Connection, totals: Totals, seen: Verified | None) -> Iterator[Check]:
    ends = seen and {(device, signal): End(int(value), int(count)) for device, signal, value, count in seen.counters}
    questions: tuple[tuple[str, Callable[[], Check]], ...] = (
        ("conservation", lambda: conservation(connection, totals)),
        ("counters", lambda: counters(connection, ends)),
        ("master data", lambda: snapshots(connection)),
        ("lots", lambda: stock.lots(connection, totals)),
        ("requirements", lambda: orders.requirements(connection, totals)),
        ("units", lambda: orders.spans(connection, totals)),
        ("reversals", lambda: reversals(connection)),
        ("work list", lambda: work_list.work_list(connection)),
        ("consumers", lambda: work_list.consumers(connection, head(read_meta(connection)).seq)),
    )
    for name, ask in questions:
        yield _asked(name, ask)


def _loaded(connection: sqlite3.Connection) -> Check:
    load(connection)
    return Check("state", ok=True, detail="the gateway can go on from it")


def _asked(name: str, ask: Callable[[], Check]) -> Check:
    try:
        return ask()
    except MALFORMED as error:
        return Check(name, ok=False, detail=f"a row can't be read: {in_words(error)}")
