"""What moves stock at the line: staging, scanning in, a lot's status, returns and cycle counts."""

from collections.abc import Iterable
from decimal import Decimal

from gateway.domain.command import CountLot, ReturnLot, ScanIn, SetLotStatus, Stage
from gateway.domain.lot import LotBalance, LotKey
from gateway.domain.posting import NO_OUTPUT, Deviation, Posting, PostingLine, PostingType, Reason
from gateway.domain.quantity import EXACT, ZERO, text
from gateway.domain.signature import Author
from gateway.domain.use import Use
from gateway.errors import CommandRefused
from gateway.pipeline import documents, stock
from gateway.pipeline.commands.desk import Desk, Handlers
from gateway.pipeline.commands.signing import signed
from gateway.pipeline.reasons import reason_of
from gateway.pipeline.working_copy import WorkingCopy
from gateway.store.batch import TransferRow
from gateway.store.codec import content_hash

COUNTED = "count"  # the method of a cycle count's line


async def stage(desk: Desk, command: Stage, author: Author) -> bool:
    """Apply a transfer to the line once by its id; False where it was applied before."""
    work = desk.begin(command, author)
    applied = await stock.stage_all(desk.writer, work, (command.staging,), author.person)
    if applied:
        await desk.finish(work)
    return bool(applied)


async def scan_in(desk: Desk, command: ScanIn, author: Author) -> int:
    """Make a lot eligible at the line; return how many of its balances became so."""
    work = desk.begin(command, author)
    found = stock.scan_in(work, command.line, command.item, command.lot, work.now, person=author.person)
    if found:
        await desk.finish(work)
    return found


async def set_lot_status(desk: Desk, command: SetLotStatus, author: Author) -> int:
    """Give every balance of a lot that status, used-up ones too: a reversal restores them; return how many changed."""
    work = desk.begin(command, author)
    found = (await desk.writer.store.balances_of_lots([(command.item, command.lot)])).values()
    if not found:
        raise CommandRefused(f"lot {command.lot} of {command.item} was never staged here")
    changed = stock.set_status(work, found, command.status)
    if not changed:
        raise CommandRefused(f"lot {command.lot} of {command.item} is {command.status.value} already")
    work.add_journal("lot-status", _status_entry(command, author, changed))
    await desk.finish(work)
    return len(changed)


async def return_lot(desk: Desk, command: ReturnLot, author: Author) -> bool:
    """Post staged stock back to the warehouse, once by the transfer's id; False where it was applied before."""
    content = _content("return", command.transfer, command.key, command.quantity, command.uom, str(command.exposed))
    if await _applied_before(desk, "return", command.transfer, content):
        return False
    work = desk.begin(command, author)
    reason = reason_of(work.model.master, command.reason)
    lot = await _balance(desk, work, command.key)
    quantity = _in_stock(work, f"return {command.transfer}", command.key, command.quantity, command.uom)
    _check_return(command, lot, quantity)
    work.put_lot(lot.give_back(quantity))
    line = _line(Use.RETURNED, lot, quantity, None)
    exposed = Deviation("exposed", f"lot {lot.key.lot} was exposed: it goes back in quarantine")
    posting = _posting(work, lot, line, reason, author)
    documents.post(work, posting._replace(type=PostingType.RETURN, deviations=(exposed,) if command.exposed else ()))
    work.rows.transfers.append(
        TransferRow(command.transfer, "return", content, lot.key, lot.left, quantity, lot.uom, command.reason, work.now)
    )
    await desk.finish(work)
    return True


async def count_lot(desk: Desk, command: CountLot, author: Author) -> bool:
    """Post the difference between what was found of a balance and its book; False where the count is known.

    The difference is one consumed line, negative where more was found than the books had: so that staged =
    consumed + returned + left holds without a transfer that nobody made.
    """
    content = _content("count", command.count, command.key, command.found, command.uom)
    if await _applied_before(desk, "count", command.count, content):
        return False
    work = desk.begin(command, author)
    reason = reason_of(work.model.master, command.reason)
    lot = await _balance(desk, work, command.key)
    found = _in_stock(work, f"count {command.count}", command.key, command.found, command.uom)
    if found < ZERO:
        raise CommandRefused(f"count {command.count}: nobody finds {text(found)} {lot.uom}")
    if missing := EXACT.subtract(lot.left, found):
        work.put_lot(lot._replace(consumed=EXACT.add(lot.consumed, missing)))
        line = _line(Use.CONSUMED, lot, missing, COUNTED)
        documents.post(work, _posting(work, lot, line, reason, author))
    work.rows.transfers.append(
        TransferRow(command.count, "count", content, lot.key, lot.left, found, lot.uom, command.reason, work.now)
    )
    work.add_journal("count", _count_entry(command, author, lot, found))
    await desk.finish(work)
    return True


async def _applied_before(desk: Desk, what: str, number: str, content: str) -> bool:
    known = await desk.writer.store.transfers([number])
    if number not in known:
        return False
    stock.same_content(what, number, known[number], content)
    return True


async def _balance(desk: Desk, work: WorkingCopy, key: LotKey) -> LotBalance:
    found = work.lot_balances.get(key) or (await desk.writer.store.balances([key])).get(key)
    if found is None:
        raise CommandRefused(
            f"lot {key.lot} of {key.item} in {key.location} was never staged to {key.owner.kind} {key.owner.name}",
            "stage it first, or correct the lot, the bin or the owner",
        )
    return found


def _in_stock(work: WorkingCopy, what: str, key: LotKey, quantity: Decimal, uom: str) -> Decimal:
    master = work.model.master
    if key.item not in master.items:
        raise CommandRefused(f"{what}: item {key.item} is not in the master data")
    return stock.in_stock_unit(master, what, key.item, quantity, uom)


def _check_return(command: ReturnLot, lot: LotBalance, quantity: Decimal) -> None:
    if quantity <= ZERO:
        raise CommandRefused(f"return {command.transfer}: quantity {text(command.quantity)} is not above zero")
    if quantity > lot.left:
        raise CommandRefused(
            f"return {command.transfer}: {text(quantity)} {lot.uom} is more than lot {lot.key.lot} has left, "
            f"{text(lot.left)}",
            "count the lot if more is there than the books say",
        )


def _line(use: Use, lot: LotBalance, quantity: Decimal, method: str | None) -> PostingLine:
    key = lot.key
    return PostingLine(
        use=use,
        item=key.item,
        quantity=quantity,
        uom=lot.uom,
        lot=key.lot,
        location=key.location,
        method=method,
        owner=key.owner,
        supplier=lot.facts.supplier,
    )


def _posting(work: WorkingCopy, lot: LotBalance, line: PostingLine, reason: Reason, author: Author) -> Posting:
    owner = lot.key.owner
    return Posting(
        type=PostingType.COUNT,
        order=owner.name if owner.kind == "order" else "",
        operation="",
        item=lot.key.item,
        finished_lot="",
        output=NO_OUTPUT,
        lines=(line,),
        triggers=(),
        bom="",
        bom_version="",
        master_data=work.model.master.hash,
        reason=reason,
        person=author.person,
        signature=author.signature,
    )


def _content(kind: str, number: str, key: LotKey, quantity: Decimal, *more: str) -> str:
    """Return the hash by which the same id with other content shows; 1.0 and 1.00 are the same quantity."""
    return content_hash((kind, number, *key.owner, *key[1:], text(quantity.normalize()), *more))


def _status_entry(command: SetLotStatus, author: Author, changed: Iterable[LotKey]) -> dict[str, object]:
    return {
        "item": command.item,
        "lot": command.lot,
        "status": command.status.value,
        "reason": command.reason,
        "owners": sorted({f"{key.owner.kind} {key.owner.name}" for key in changed}),
        **signed(author),
    }


def _count_entry(command: CountLot, author: Author, lot: LotBalance, found: Decimal) -> dict[str, object]:
    return {
        "count": command.count,
        "owner": f"{lot.key.owner.kind} {lot.key.owner.name}",
        "item": lot.key.item,
        "lot": lot.key.lot,
        "location": lot.key.location,
        "book": lot.left,
        "found": found,
        "uom": lot.uom,
        "reason": command.reason,
        **signed(author),
    }


HANDLERS: Handlers = {
    Stage: stage,
    ScanIn: scan_in,
    SetLotStatus: set_lot_status,
    ReturnLot: return_lot,
    CountLot: count_lot,
}
