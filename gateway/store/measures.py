"""The measures of the line: the views of migration 003, read as rows. Ratios have four digits, quantities are exact."""

import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

Row = Mapping[str, Any]
Measures = Mapping[str, Sequence[Row]]

VIEWS = {  # view: the columns that say what a row is about
    "usage_variance": ("item", "line"),
    "exception_rate": ("kind",),
    "bin_accuracy": ("location",),
    "genealogy_completeness": ("order_no",),
    "return_compliance": (),
    "reversal_rate": (),
    "quality": ("order_no", "operation"),
    "counted_against_sealed": ("order_no", "operation"),
    "fill_weight": ("order_no", "operation"),
}


def measures(connection: sqlite3.Connection) -> Measures:
    """Return every measure's rows, by the view's name; a measure that nothing is known of has none."""
    return {view: _rows(connection, view, about) for view, about in VIEWS.items()}


def _rows(connection: sqlite3.Connection, view: str, about: Sequence[str]) -> list[Row]:
    order = f" ORDER BY {', '.join(about)}" if about else ""
    found = connection.execute(f"SELECT * FROM {view}{order}")  # noqa: S608  # the names above
    names = [column[0] for column in found.description]
    return [dict(zip(names, row, strict=True)) for row in found]
