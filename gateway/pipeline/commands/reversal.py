"""Reversals: all or part of a posting is taken back, in one transaction with everything that followed from it."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction

from gateway.backflush.reverse import Part, total
from gateway.domain.clock import rfc3339
from gateway.domain.command import Reverse
from gateway.domain.event import Trigger
from gateway.domain.posting import PostingType
from gateway.domain.quantity import EXACT, ZERO, text
from gateway.domain.signature import Author
from gateway.errors import CommandRefused
from gateway.pipeline import documents, mirroring, reversing
from gateway.pipeline.commands.desk import Desk, Handlers
from gateway.pipeline.mirroring import Evidence, PostedDocument, Why
from gateway.pipeline.reasons import reason_of
from gateway.pipeline.reversing import Cut, Reversal
from gateway.pipeline.working_copy import WorkingCopy
from gateway.pipeline.writer import Writer

_MADE = (PostingType.ASSEMBLY, PostingType.COMPONENT, PostingType.ACTIVITY)


async def reverse(desk: Desk, command: Reverse, author: Author) -> list[int]:
    """Mirror a posting, or its newest units, in every document where its triggers have lines; return the seqs."""
    writer, work = desk.writer, desk.begin(command, author)
    reason = reason_of(work.model.master, command.reason)
    original = await _reversible(writer, work, command.seq)
    documents.close_windows(work, original.body["order"], "reversal")
    links = await writer.store.links_of_document(original.document)
    found = await mirroring.gathered(writer, work, (one.trigger for one in links))
    cuts = _cuts(command, original, found)
    triggers = await _triggers(writer, cuts)
    reversal = Reversal(work, original, cuts, triggers)
    if reversal.is_last and (holders := await _once_holders(writer, reversal, found)):
        found = await mirroring.gathered(writer, work, (*(one.trigger for one in links), *holders))
        reversal.cuts.update(dict.fromkeys(sorted(holders), Cut(ZERO, None)))
        reversal.triggers.update(await _triggers(writer, holders))
    reversal.used_up = await mirroring.used_up_lots(writer, work, found.documents.values())
    reversal.spans = await writer.store.spans_of(list(reversal.cuts))
    seqs = reversing.post(reversal, found, Why(reason, author))
    await desk.finish(work)
    return seqs


async def _reversible(writer: Writer, work: WorkingCopy, seq: int) -> PostedDocument:
    """Return the posting if it is one of those that can be reversed; CommandRefused says which one could."""
    stored = await writer.store.posting_at(seq)
    if stored is None:
        if 0 < seq <= work.state.head.seq:
            raise CommandRefused(f"retention has deleted posting {seq}", "correct it in the central system")
        raise CommandRefused(f"there is no posting {seq}", f"the last one is {work.state.head.seq}")
    found = mirroring.posted(stored)
    if found.reverses is not None:
        raise CommandRefused(
            f"posting {seq} is a reversal, of posting {found.reverses}", "enter the units again instead of reversing it"
        )
    if found.follows is not None:
        main = [one.seq for one in await writer.store.postings_of([found.follows])]
        if not main:
            raise CommandRefused(
                f"retention has deleted the posting that posting {seq} follows", "correct it in the central system"
            )
        raise CommandRefused(
            f"posting {seq} has deferred or backlogged issues of posting {main[0]}",
            f"reverse posting {main[0]}: they are reversed with it",
        )
    kind = found.body["posting_type"]
    if kind not in _MADE:
        raise CommandRefused(f"posting {seq} is a {kind}: only what was made can be reversed", _INSTEAD[kind])
    order = found.body["order"]
    if closed_at := work.order_state(order).closed_at:
        raise CommandRefused(
            f"order {order} of posting {seq} was closed {rfc3339(closed_at)}: its variances are booked",
            "correct it in the central system",
        )
    return found


_INSTEAD: Mapping[str, str] = {
    PostingType.RETURN: "stage the lot again",
    PostingType.COUNT: "count the lot again",
    PostingType.CLOSE: "a closed order stays closed",
    PostingType.REPLENISHMENT: "it moved nothing",
}


def _cuts(command: Reverse, original: PostedDocument, found: Evidence) -> dict[int, Cut]:
    """Return how much is reversal of which trigger, the newest first."""
    main = {trigger: _main(parts, original.document) for trigger, parts in sorted(found.parts.items(), reverse=True)}
    left = {trigger: part for trigger, part in main.items() if part.units or _untouched(found.parts[trigger])}
    if not left:
        _refuse_again(command, found)
    if command.units is None:
        return {trigger: Cut(part.units, None) for trigger, part in left.items()}
    units = total(part.units for part in left.values())
    uom = original.body["output"]["uom"]
    if command.units <= ZERO:
        raise CommandRefused(f"{text(command.units)} {uom} is nothing to reverse", "give a number above zero")
    if not units:
        raise CommandRefused(f"posting {command.seq} counts no units", "reverse it whole: leave the units out")
    if command.units > units:
        newest, part = next(iter(left.items()))
        raise CommandRefused(
            f"{text(command.units)} {uom} is more than posting {command.seq} has left: {text(units)}",
            f"reverse {text(units)} or less; the newest, trigger {newest}, has {text(part.units)} of them",
        )
    return _newest(left, command.units)


def _newest(left: Mapping[int, Part], units: Decimal) -> dict[int, Cut]:
    cuts = {}
    for trigger, part in left.items():
        wanted = min(part.units, units)
        if wanted:
            share = None if wanted == part.units else Fraction(wanted) / Fraction(part.link.units)
            cuts[trigger] = Cut(wanted, share)
            units = EXACT.subtract(units, wanted)
    return cuts


def _main(parts: Iterable[Part], document: int) -> Part:
    return next(one for one in parts if one.link.document == document)


def _untouched(parts: Sequence[Part]) -> bool:
    """Tell whether a trigger that counted no units (a scanned lot) still has its lines."""
    return not parts[0].link.units and any(part.lines for part in parts)


def _refuse_again(command: Reverse, found: Evidence) -> None:
    seqs = sorted(one.seq for one in found.documents.values() if one.reverses is not None)
    if not seqs:
        raise CommandRefused(f"posting {command.seq} has nothing that could be reversed")
    by = ", ".join(map(str, seqs))
    raise CommandRefused(f"posting {command.seq} is already reversed, by posting {by}")


async def _triggers(writer: Writer, numbers: Iterable[int]) -> dict[int, Trigger]:
    return {one.id: one for one in await writer.store.triggers(sorted(numbers))}


async def _once_holders(writer: Writer, reversal: Reversal, found: Evidence) -> set[int]:
    """Return the triggers, reversed before, that still hold what was drawn once for the order at the operation."""
    draws = [draw for number in reversal.cuts for part in found.parts[number] for draw in part.link.draws]
    requirements, held = reversal.work.requirements.base, {one.key for one in draws if one.once.numerator}
    operations = {reversal.operation, *(one.key.operation for one in draws)}  # what it gathers of those before it
    if not any(
        one.once and key.order == reversal.order and key.operation in operations and key not in held
        for key, one in requirements.items()
    ):
        return set()
    return await writer.store.once_holders(reversal.order, reversal.operation) - set(reversal.cuts)


HANDLERS: Handlers = {Reverse: reverse}
