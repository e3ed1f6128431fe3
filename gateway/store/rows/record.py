"""What the gateway remembers of itself: how far it has counted, what waits, who has read what."""

from gateway.domain.quantity import text
from gateway.store import codec
from gateway.store.batch import Batch, Closing
from gateway.store.statements import Row


def checkpoints(batch: Batch) -> list[Row]:
    """Return rows of `checkpoint`."""
    return [
        (
            *signal,
            str(one.value),
            one.epoch,
            codec.moment(one.seen.wall),
            one.seen.boot,
            one.seen.boottime,
            codec.optional_moment(one.source_time),
            one.order,
            str(one.counted),
            codec.suspect_text(one.suspect),
            one.slack,
            one.doubt,
        )
        for signal, one in batch.checkpoints.items()
    ]


def watermarks(batch: Batch) -> list[Row]:
    """Return rows of `message_watermark`."""
    return [(*key, codec.watermark_text(one)) for key, one in batch.watermarks.items()]


def baselines(batch: Batch) -> list[Row]:
    """Return rows of `baseline`."""
    return [
        (*key, str(one.value), one.epoch, codec.stamp(one.at), one.signed_by, codec.optional_stamp(one.signed_at))
        for key, one in batch.baselines.items()
    ]


def exceptions(batch: Batch) -> list[Row]:
    """Return rows of `exception`."""
    return [
        (
            one.id,
            one.kind.value,
            one.code,
            one.reason,
            *one.scope,
            text(one.quantity),
            one.uom,
            one.count,
            codec.stamp(one.first_event),
            codec.stamp(one.last_event),
            codec.stamp(one.opened_at),
            one.detail,
            codec.optional_stamp(one.closed_at),
            one.close_reason,
            one.closed_by,
            one.owner,
        )
        for one in batch.exceptions.values()
    ]


def tallies(batch: Batch) -> list[Row]:
    """Return rows of `tally`."""
    return [(*key, one.uom, *map(text, one[1:])) for key, one in batch.tallies.items()]


def snapshots(batch: Batch) -> list[Row]:
    """Return rows of `snapshot`."""
    return [(one.hash, one.body, codec.stamp(one.first_used_at)) for one in batch.snapshots]


def snapshot_uses(batch: Batch) -> list[Row]:
    """Return rows of `snapshot_use`."""
    return list({row.posting.master_data: row.seq for row in batch.postings}.items())


def inputs(batch: Batch) -> list[Row]:
    """Return rows of `input`."""
    return [(one.id, one.after_event, one.kind, one.body.decode()) for one in batch.inputs]


def dead_letters(batch: Batch) -> list[Row]:
    """Return rows of `dead_letter`."""
    return [(*one[:4], codec.stamp(one.at), one.retained, one.put_aside) for one in batch.dead_letters]


def closed_letters(batch: Batch) -> list[Row]:
    """Return (id, when, why, by whom) of letters that are closed."""
    return [(number, *closing(one)) for number, one in batch.closed_letters.items()]


def closed_rejections(batch: Batch) -> list[Row]:
    """Return (sink, seq, when, why, by whom) of refused postings that are closed."""
    return [(*key, *closing(one)) for key, one in batch.closed_rejections.items()]


def closing(one: Closing) -> Row:
    """Return when, why and by whom something was closed."""
    return codec.stamp(one.at), one.reason, one.person


def consumers(batch: Batch) -> list[Row]:
    """Return rows of `consumer`."""
    return [(key.kind.value, key.name, mark.through, 0, codec.stamp(mark.at)) for key, mark in batch.consumers.items()]


def rejections(batch: Batch) -> list[Row]:
    """Return rows of `sink_rejection`."""
    return [(*one[:3], codec.stamp(one.at)) for one in batch.rejections]


def settled(batch: Batch) -> list[Row]:
    """Return rows of `restored_source`."""
    return [(device, codec.stamp(at)) for device, at in batch.settled.items()]


def head(batch: Batch) -> list[Row]:
    """Return rows of `meta`: where the store ends, the configuration signed last, the snapshot that is in use."""
    end = batch.head
    rows: list[Row] = [("activated", batch.activated)] if batch.activated else []
    rows += [("snapshot", one.hash) for one in batch.snapshots]
    if end is None:
        return rows
    return [("seq", end.seq), ("position", end.position), ("hash", end.hash.hex()), *rows]


def greatest(batch: Batch) -> list[Row]:
    """Return rows of `meta`: the greatest backlog that is settled."""
    settled = [number for number, one in batch.backlogs.items() if one is None]
    return [("retained_backlog", max(settled))] if settled else []
