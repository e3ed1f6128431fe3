"""What orders and lines required, made and went through."""

from gateway.domain.quantity import text
from gateway.store import codec
from gateway.store.batch import Batch
from gateway.store.statements import Row


def requirements(batch: Batch) -> list[Row]:
    """Return rows of `requirement`."""
    return [
        (*key, str(one.numerator), str(one.denominator), text(one.committed), int(one.once))
        for key, one in batch.requirements.items()
    ]


def progress(batch: Batch) -> list[Row]:
    """Return rows of `order_progress`."""
    return [(*key, *map(text, one)) for key, one in batch.progress.items()]


def order_states(batch: Batch) -> list[Row]:
    """Return rows of `order_state`."""
    return [(order, codec.order_state_text(one)) for order, one in batch.orders.items()]


def line_states(batch: Batch) -> list[Row]:
    """Return rows of `line_state`."""
    return [(line, codec.line_state_text(one)) for line, one in batch.lines.items()]


def variances(batch: Batch) -> list[Row]:
    """Return rows of `variance`."""
    return [
        (
            row.order,
            one.bom_line,
            one.item,
            row.line,
            one.uom,
            *map(text, (one.standard, one.actual, one.usage, one.mix, one.yields, one.scrap)),
            one.cause,
            codec.stamp(row.closed_at),
        )
        for row in batch.variances
        for one in (row.variance,)
    ]


def shadows(batch: Batch) -> list[Row]:
    """Return rows of `shadow`."""
    return [
        (
            *key.requirement,
            key.source,
            item,
            str(one.numerator),
            str(one.denominator),
            int(one.once),
            text(one.committed),
        )
        for key, (item, one) in batch.shadows.items()
    ]
