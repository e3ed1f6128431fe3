"""A dead letter read again: what its message would have done at its time follows now, once."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from gateway.counting import messages as counting
from gateway.domain.clock import Instant
from gateway.domain.event import SignalId
from gateway.errors import CommandRefused, DataError
from gateway.pipeline import put_aside
from gateway.pipeline.image import Context, ProcessImage
from gateway.pipeline.messages import Known, receive
from gateway.pipeline.model import LineModel, Point
from gateway.pipeline.working_copy import WorkingCopy
from gateway.ports import Driver, Rereader
from gateway.signals.sample import Sample, Scan
from gateway.store.letters import Letter

_UNKNOWN_BOOT = ""  # only the wall clock's reading was kept with the letter


class Read(NamedTuple):
    """A letter as it reads now. `context` gives what the device said beside a signal then, as far as that is known."""

    scan: Scan
    context: Callable[[Point], Context]


def read(letter: Letter, model: LineModel, drivers: Mapping[str, Driver]) -> Read:
    """Read a letter by the configuration in force; DataError with why it still can't be."""
    received = Instant(letter.at, 0, _UNKNOWN_BOOT)
    if letter.put_aside:
        sample, shown = put_aside.read(letter.source, letter.payload)
        return Read(Scan(letter.device, received, (sample,)), lambda _: shown)
    driver = drivers.get(letter.device)
    if not isinstance(driver, Rereader) or all(one.device != letter.device for one in model.points):
        raise DataError(f"{letter.device} is no device of the configuration that could read it")
    scan = driver.reread(letter.source, letter.payload, received)
    image = ProcessImage()  # its own: what the device says now was not so then
    image.update(scan, [one for one in scan.samples if _is_context(model, scan, one)])
    return Read(scan, image.context)


def _is_context(model: LineModel, scan: Scan, sample: Sample) -> bool:
    point = model.points.get(SignalId(scan.device, sample.signal))
    return point is not None and point.is_context


def do_again(work: WorkingCopy, letter: Letter, said: Read, known: Known) -> str:
    """Book or do what the letter says; return in a few words what came of it.

    CommandRefused where it still can't be done: the working copy is of no use then.
    """
    skipped = 0
    for sample in said.scan.samples:
        point = _point(work, said.scan, sample)
        if point.is_context:
            continue
        if point.counter is not None:
            _refuse_unread(work, point, letter)
            skipped += 1
        elif not letter.retained:  # it shows state: no event
            receive(work, point, said.scan, sample, context=said.context(point), known=known, judge=counting.again)
    if work.rows.dead_letters:
        raise CommandRefused(work.rows.dead_letters[0].reason)
    return _outcome(letter, said.scan, len(work.rows.events), skipped)


def _outcome(letter: Letter, scan: Scan, events: int, skipped: int) -> str:
    if events:
        return "read again"
    if letter.retained:
        return "read again: a retained message is no event"
    if skipped:
        return "read again: its counter was read since"
    return "came again by itself" if scan.samples else "read again: nothing follows from it"


def _point(work: WorkingCopy, scan: Scan, sample: Sample) -> Point:
    point = work.model.points.get(SignalId(scan.device, sample.signal))
    if point is None:
        raise CommandRefused(f"{scan.device}.{sample.signal} is no signal of the configuration")
    return point


def _refuse_unread(work: WorkingCopy, point: Point, letter: Letter) -> None:
    """A cumulative value of long ago says nothing that a later one doesn't; refuse as long as there is no later one."""
    checkpoint = work.checkpoints.get(point.id)
    if checkpoint is None or checkpoint.seen.wall <= letter.at:
        raise CommandRefused(
            f"{point.id} was not read since: a counter's old value is not taken for its present one",
            "once the device sends the next one, that counts everything up to it",
        )
