"""Order close, and closing a window by hand."""

from collections.abc import Iterable
from typing import NamedTuple

from gateway.backflush import close
from gateway.domain.bom import BillOfMaterial
from gateway.domain.clock import rfc3339
from gateway.domain.command import CloseOrder, CloseWindow
from gateway.domain.exception import ExceptionKind
from gateway.domain.order import Order
from gateway.domain.posting import NO_OUTPUT, Deviation, Posting, PostingLine, PostingType, Reason, Variance
from gateway.domain.quantity import text
from gateway.domain.signature import Author
from gateway.domain.versions import bom_version
from gateway.errors import CommandRefused, DataError
from gateway.formats import signed
from gateway.pipeline import documents, residuals
from gateway.pipeline.commands.desk import Desk, Handlers
from gateway.pipeline.commands.signing import refuse_if_changed
from gateway.pipeline.order_books import OrderBooks, read_books
from gateway.pipeline.reasons import reason_of
from gateway.pipeline.working_copy import WorkingCopy
from gateway.store.batch import VarianceRow


async def close_window(desk: Desk, command: CloseWindow, author: Author) -> int:
    """Close an open document now; return its seq."""
    work = desk.begin(command, author)
    if work.documents.get(command.document) is None:
        raise CommandRefused(f"there is no open document {command.document}", "`gateway windows` lists them")
    seq = documents.close(work, command.document, "by hand")
    await desk.finish(work)
    return seq


async def close_order(desk: Desk, command: CloseOrder, author: Author) -> int:
    """Close the order's windows, clear its residuals, book its variances; return the seq of the closing document."""
    work = desk.begin(command, author)
    reason = reason_of(work.model.master, command.reason)
    order = _open_order(work, command.order)
    made = {operation: one for (number, operation), one in work.state.progress.items() if number == order.order}
    refuse_if_changed(command.seen, signed.made(order.order, made), f"order {order.order}")
    _refuse_while_waiting(work, order.order)
    _refuse_while_in_doubt(work, order.order)
    bom = _bom(work, order)
    documents.close_of_order(work, order.order)
    books = await read_books(desk.writer, work, order.order)
    deviations = _tolerated(work, order, bom, books, command)
    lines = residuals.clear(work, order.order, bom, command.residuals)
    variances = _variances(work, order, bom, books, lines)
    seq = documents.post(work, _posting(work, order, bom, _Close(lines, variances, deviations, reason, author)))
    work.rows.variances.extend(VarianceRow(order.order, order.line, one, work.now) for one in variances)
    work.order_states[order.order] = work.order_state(order.order)._replace(closed_at=work.now)
    await desk.finish(work)
    return seq


def _open_order(work: WorkingCopy, number: str) -> Order:
    order = work.model.master.orders.get(number)
    if order is None:
        raise CommandRefused(f"order {number} is not in the master data", "`gateway orders` lists those that are")
    if closed_at := work.order_state(number).closed_at:
        raise CommandRefused(f"order {number} was closed already, {rfc3339(closed_at)}")
    return order


def _refuse_while_waiting(work: WorkingCopy, order: str) -> None:
    waits = [
        f"exception {one.id} ({one.code}: {text(one.quantity)} {one.uom or 'units'} at operation {one.scope[1]})"
        for one in work.state.exceptions.values()
        if one.kind is ExceptionKind.TRIGGER and one.scope[0] == order
    ]
    waits += [
        f"backlog {one.id} ({text(one.quantity)} {one.key.uom} of BOM line {one.key.bom_line})"
        for _, one in work.backlogs.items()
        if one.key.order == order
    ]
    if waits:
        raise CommandRefused(
            f"order {order} can't be closed, it still has {', '.join(waits)}",
            "post what waits, or close it without posting",
        )


def _refuse_while_in_doubt(work: WorkingCopy, order: str) -> None:
    """Refuse to post what the store that was lost may have posted: that is decided window by window."""
    doubted = [
        str(number)
        for number, one in sorted(work.documents.items())
        if one.key.order == order and work.state.in_doubt(number)
    ]
    if doubted:
        which = f"window {doubted[0]} was" if len(doubted) == 1 else f"windows {', '.join(doubted)} were"
        raise CommandRefused(
            f"order {order} can't be closed: {which} open in the restored backup and may be posted already",
            "compare with the ERP, then close-window",
        )


def _bom(work: WorkingCopy, order: Order) -> BillOfMaterial:
    master = work.model.master
    version = bom_version(master, order, work.order_state(order.order), work.now)
    bom = master.boms.get((order.bom, version or ""))
    if bom is None:
        raise CommandRefused(
            f"BOM {order.bom} version {version or '(none effective)'} of order {order.order} is not in the master data",
            "without it no variance can be calculated",
        )
    return bom


def _tolerated(
    work: WorkingCopy, order: Order, bom: BillOfMaterial, books: OrderBooks, command: CloseOrder
) -> tuple[Deviation, ...]:
    overrun = work.order_state(order.order).overrun
    outside = close.outside_tolerance(order, close.received(bom, books.made), overrun)
    if outside and not command.deviation:
        raise CommandRefused(
            f"order {order.order} is outside its tolerance: {outside}", "close it as a deviation, with a signature"
        )
    return (Deviation("tolerance", outside),) if outside else ()


def _variances(
    work: WorkingCopy, order: Order, bom: BillOfMaterial, books: OrderBooks, rests: Iterable[PostingLine]
) -> tuple[Variance, ...]:
    lines = (*books.lines, *rests)
    try:
        return close.variances(work.model.master, order, bom, books.made, lines, factor_of=books.factor_of)
    except DataError as error:
        raise CommandRefused(f"order {order.order}: {error.message}", error.hint) from error


class _Close(NamedTuple):
    lines: tuple[PostingLine, ...]
    variances: tuple[Variance, ...]
    deviations: tuple[Deviation, ...]
    reason: Reason
    author: Author


def _posting(work: WorkingCopy, order: Order, bom: BillOfMaterial, what: _Close) -> Posting:
    return Posting(
        type=PostingType.CLOSE,
        order=order.order,
        operation="",
        item=order.item,
        finished_lot=order.finished_lot,
        output=NO_OUTPUT,
        lines=what.lines,
        triggers=(),
        bom=bom.bom,
        bom_version=bom.version,
        master_data=work.model.master.hash,
        deviations=what.deviations,
        variances=what.variances,
        reason=what.reason,
        person=what.author.person,
        signature=what.author.signature,
    )


HANDLERS: Handlers = {CloseOrder: close_order, CloseWindow: close_window}
