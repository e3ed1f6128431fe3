"""What a reversal reads and writes: the documents of its triggers, whole, and the postings that mirror them."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any, NamedTuple

import orjson

from gateway.backflush import reverse
from gateway.backflush.reverse import Part
from gateway.backflush.span import Stretch
from gateway.domain.document import Link
from gateway.domain.lot import LotBalance, LotKey, Owner
from gateway.domain.posting import ActivityLine, Output, Posting, PostingLine, PostingType, Reason
from gateway.domain.quantity import EXACT, ZERO
from gateway.domain.signature import Author
from gateway.domain.use import Use
from gateway.errors import CommandRefused
from gateway.pipeline import documents
from gateway.pipeline.working_copy import WorkingCopy
from gateway.pipeline.writer import Writer
from gateway.store.documents import StoredPosting

ACTIVITY = "activity:"  # how an activity's requirement names itself


class PostedDocument(NamedTuple):
    """A closed document as its sealed body says; `reverses` is a seq, `follows` the id of a document."""

    seq: int
    document: int
    reverses: int | None
    follows: int | None
    body: Mapping[str, Any]
    lines: tuple[PostingLine, ...]


class Why(NamedTuple):
    """Who reverses, and for which reason."""

    reason: Reason
    author: Author


class Evidence(NamedTuple):
    """Everything that was posted for some triggers: their parts in the order of posting, by trigger."""

    parts: Mapping[int, Sequence[Part]]
    documents: Mapping[int, PostedDocument]


async def gathered(writer: Writer, work: WorkingCopy, triggers: Iterable[int]) -> Evidence:
    """Return what was posted for the triggers. Open documents that have a part of them are closed first."""
    links = await writer.store.links_of_triggers(sorted(set(triggers)))
    numbers = sorted({one.document for one in links})
    for number in numbers:
        if work.documents.get(number) is not None:
            documents.close(work, number, "reversal")
    stored = {one.document: posted(one) for one in await writer.store.postings_of(numbers)}
    closed = {one.document: posted(one) for one in of_this_batch(work) if one.document in numbers}
    return _evidence(links, {**stored, **closed})


def of_this_batch(work: WorkingCopy) -> Iterable[StoredPosting]:
    """Yield the postings that the batch has made so far, as they will be stored."""
    return (
        StoredPosting(one.seq, one.document, one.body, one.follows, one.posting.reverses) for one in work.rows.postings
    )


def _evidence(links: Iterable[Link], found: Mapping[int, PostedDocument]) -> Evidence:
    by_seq = {one.seq: one for one in found.values()}
    originals: defaultdict[tuple[int, int], list[Link]] = defaultdict(list)  # the posted one first, then its mirrors
    mirrors: list[tuple[int, int, Link]] = []
    for link in sorted(links, key=lambda one: one.document):
        document = found.get(link.document)
        if document is None:
            raise CommandRefused(
                f"retention has deleted a posting of trigger {link.trigger}", "correct it in the central system"
            )
        if document.reverses is None:
            originals[link.trigger, link.document].append(link)
        else:
            original = by_seq[document.reverses]
            mirrors.append((link.trigger, original.document, reverse.renumbered(link, _places(document, original))))
    for trigger, number, link in mirrors:
        originals[trigger, number].append(link)
    parts: defaultdict[int, list[Part]] = defaultdict(list)
    for (trigger, _), (first, *rest) in sorted(originals.items()):
        parts[trigger].append(Part(first, tuple(rest)))
    return Evidence(parts, found)


def _places(mirror: PostedDocument, original: PostedDocument) -> dict[int, int]:
    """Return which line of the original each of the mirror's lines is."""
    places = {_identity(one): number for number, one in enumerate(original.lines)}
    return {number: places[_identity(one)] for number, one in enumerate(mirror.lines)}


def _identity(line: PostingLine) -> tuple[object, ...]:
    return (*line._replace(quantity=ZERO, standard=None), line.standard is None)


def posted(stored: StoredPosting) -> PostedDocument:
    """Return a stored posting's content."""
    body = orjson.loads(stored.body)
    lines = tuple(_line(one) for one in body["lines"])
    return PostedDocument(stored.seq, stored.document, stored.reverses, stored.follows, body, lines)


def _line(line: Mapping[str, Any]) -> PostingLine:
    owner, standard = line.get("owner"), line.get("standard")
    return PostingLine(
        use=Use(line["use"]),
        item=line["item"],
        quantity=Decimal(line["quantity"]),
        uom=line["uom"],
        lot=line["lot"],
        location=line["location"],
        bom_line=line.get("bom_line"),
        method=line.get("method"),
        owner=Owner(owner["kind"], owner["name"]) if owner else None,
        standard=None if standard is None else Decimal(standard),
        supplier=line.get("supplier") or "",
    )


def post(
    work: WorkingCopy,
    original: PostedDocument,
    links: Sequence[Link],
    *,
    output: Output,
    why: Why,
    reach: Stretch | None,
) -> tuple[int, tuple[PostingLine, ...]]:
    """Post the mirror of a document: `links` and `output` are negative, lines named are the document's.

    Returns its seq and lines.
    """
    sums: defaultdict[int, Decimal] = defaultdict(lambda: ZERO)
    for link in links:
        for line, quantity in link.lines:
            sums[line] = EXACT.add(sums[line], quantity)
    numbers = {line: number for number, line in enumerate(sorted(sums))}
    body = original.body
    posting = Posting(
        type=PostingType(body["posting_type"]),
        order=body["order"],
        operation=body["operation"],
        item=body["item"],
        finished_lot=body["finished_lot"] or "",
        output=output,
        lines=tuple(_mirrored(original.lines[line], sums[line]) for line in numbers),
        triggers=(),
        bom=body["bom"]["id"],
        bom_version=body["bom"]["version"],
        master_data=body["master_data"],
        activities=_activities(links),
        reverses=original.seq,
        reason=why.reason,
        person=why.author.person,
        signature=why.author.signature,
    )
    renumbered = [reverse.renumbered(one, numbers) for one in links]
    return documents.post(work, posting, links=renumbered, reach=(reach,) * len(numbers)), posting.lines


def _mirrored(line: PostingLine, quantity: Decimal) -> PostingLine:
    standard = line.standard
    if standard is not None:
        share = Fraction(quantity) / Fraction(line.quantity)
        standard = EXACT.minus(reverse.round_down(-Fraction(standard) * share, reverse.FINEST))
    return line._replace(quantity=quantity, standard=standard)


def _activities(links: Iterable[Link]) -> tuple[ActivityLine, ...]:
    sums: defaultdict[tuple[str, str], Decimal] = defaultdict(lambda: ZERO)
    for draw in (draw for link in links for draw in link.draws if draw.key.bom_line.startswith(ACTIVITY)):
        key = (draw.key.bom_line.removeprefix(ACTIVITY), draw.key.uom)
        sums[key] = EXACT.add(sums[key], draw.due)
    return tuple(ActivityLine(name, quantity, uom) for (name, uom), quantity in sums.items() if quantity)


async def used_up_lots(writer: Writer, work: WorkingCopy, found: Iterable[PostedDocument]) -> dict[LotKey, LotBalance]:
    """Return the balances that the documents took from and that are no longer in memory."""
    keys = {key for one in found for line in one.lines if (key := lot_of(line)) is not None}
    return await writer.store.balances(sorted(key for key in keys if work.lot_balances.get(key) is None))


def restore(work: WorkingCopy, lines: Iterable[PostingLine], used_up: Mapping[LotKey, LotBalance]) -> None:
    """Give the lots back what the mirrored lines took; they keep the status that they have now."""
    for line in lines:
        if key := lot_of(line):
            lot = work.lot_balances.get(key) or used_up[key]
            work.put_lot(lot._replace(consumed=EXACT.add(lot.consumed, line.quantity)))


def lot_of(line: PostingLine) -> LotKey | None:
    """Return the balance that the line took from, None where it took from none."""
    if line.use is not Use.CONSUMED or line.owner is None:
        return None
    return LotKey(line.owner, line.item, line.lot, line.location)
