"""Lots at the line and what moved them."""

from gateway.domain.quantity import ZERO, text
from gateway.store import codec
from gateway.store.batch import Batch
from gateway.store.statements import Row


def lots(batch: Batch) -> list[Row]:
    """Return rows of `lot_balance`."""
    return [
        (
            *key.owner,
            key.item,
            key.lot,
            key.location,
            one.uom,
            codec.moment(one.received_at),
            codec.optional_moment(one.expires_at),
            one.status.value,
            text(one.staged),
            text(one.consumed),
            text(one.returned),
            int(one.left != ZERO),
            codec.facts_text(one.facts),
        )
        for key, one in batch.lots.items()
    ]


def stagings(batch: Batch) -> list[Row]:
    """Return rows of `staging`."""
    return [
        (
            one.staging,
            content_hash,
            *one.key.owner,
            *one.key[1:],
            text(one.quantity),
            one.uom,
            codec.moment(one.received_at),
            codec.optional_moment(one.expires_at),
            one.status.value,
            codec.stamp(applied_at),
            codec.facts_text(one.facts),
        )
        for one, applied_at, content_hash in batch.stagings
    ]


def transfers(batch: Batch) -> list[Row]:
    """Return rows of `transfer`."""
    return [
        (
            one.id,
            one.kind,
            one.content_hash,
            *one.key.owner,
            *one.key[1:],
            text(one.book),
            text(one.quantity),
            one.uom,
            one.reason,
            codec.stamp(one.applied_at),
        )
        for one in batch.transfers
    ]
