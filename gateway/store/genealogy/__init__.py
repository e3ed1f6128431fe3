"""Which lots went into which cases and finished lots, and back. Works beside the writer, or on a store nobody runs."""

import sqlite3

from gateway.signals.sscc import read_sscc
from gateway.store.genealogy.case import trace_case
from gateway.store.genealogy.finished_lot import trace_finished_lot
from gateway.store.genealogy.lot import trace_lot
from gateway.store.genealogy.tree import Genealogy


def unknown(*, sscc: str | None, lot: str | None, item: str | None, finished_lot: str | None) -> str:
    """Return the name of what was asked for, for whoever found nothing."""
    if sscc is not None:
        return f"SSCC {sscc}"
    if lot is not None:
        return f"lot {lot}" if item is None else f"lot {lot} of item {item}"
    return f"finished lot {finished_lot}"


def genealogy(
    connection: sqlite3.Connection,
    *,
    sscc: str | None = None,
    lot: str | None = None,
    item: str | None = None,
    finished_lot: str | None = None,
) -> Genealogy:
    """Return what the store knows of a case (SSCC, with or without its (00)), a component lot, a finished lot.

    Open windows are included, what was reversed is marked. DataError for a number that is no SSCC.
    """
    return Genealogy(
        cases=() if sscc is None else trace_case(connection, read_sscc(sscc)),
        lots=() if lot is None else trace_lot(connection, lot, item),
        finished_lots=() if finished_lot is None else trace_finished_lot(connection, finished_lot),
    )
