"""Dead letters and refused postings by hand: tried again, or set aside.

None of these commands is recorded as one, since a replay has neither letters nor sinks. What follows from them is:
the entry in the journal, and the events and gaps of a letter's message.
"""

from collections.abc import Mapping
from typing import Any

from gateway.domain.command import DiscardLetter, RedriveLetter, RedrivePosting, SettlePosting
from gateway.domain.exception import ExceptionKind
from gateway.domain.quantity import ZERO
from gateway.domain.signature import Author
from gateway.errors import CommandRefused
from gateway.pipeline import messages, recording, redriving, work_list
from gateway.pipeline.commands.desk import Desk, Handlers
from gateway.pipeline.commands.signing import signed
from gateway.pipeline.working_copy import WorkingCopy
from gateway.store.batch import Closing, Rejection
from gateway.store.letters import Letter, Refused

BOOKED = "booked on another try"
_BOOKED_TOO = "posting-booked-too"
_TWICE = (
    "Sink {sink} has booked posting {seq} on another try, after {closed_by} had settled it by hand ({closed}): it may "
    "be booked twice there. Look it up, and take one of them back."
)


async def redrive_letter(desk: Desk, command: RedriveLetter, author: Author) -> str:
    """Do what the letter's message would have done at its time; return in a few words what came of it.

    CommandRefused, DataError: it still can't be read or done, and the letter stays open.
    """
    letter = await _open(desk, command.letter)
    model = desk.writer.model
    said = redriving.read(letter, model, desk.drivers)
    known = await messages.look_up(desk.writer.store, model, [said.scan])
    work = desk.working_copy()
    note(work, "letter-again", {"letter": letter.id, **signed(author)})  # first: a replay knows the unit by it
    outcome = redriving.do_again(work, letter, said, known)
    work.rows.closed_letters[letter.id] = Closing(work.now, outcome, author.person)
    await desk.finish(work)
    return outcome


async def discard_letter(desk: Desk, command: DiscardLetter, author: Author) -> bool:
    """Close the letter without doing what it says; its bytes stay."""
    letter = await _open(desk, command.letter)
    work = desk.working_copy()
    note(work, "letter-discarded", {"letter": letter.id, "reason": command.reason, **signed(author)})
    work.rows.closed_letters[letter.id] = Closing(work.now, command.reason, author.person)
    await desk.finish(work)
    return True


async def redrive_posting(desk: Desk, command: RedrivePosting, author: Author) -> bool:
    """Have the sink offered the posting once more; False where that is still to come."""
    refused = await _refused(desk, command.sink, command.seq)
    if refused.order is None:
        raise CommandRefused(f"posting {command.seq} is not kept any more", "settle it")
    if refused.removed:
        raise CommandRefused(f"sink {command.sink} is not in gateway.yaml any more", "settle it, or configure the sink")
    if refused.asked:
        return False
    work = desk.working_copy()
    note(work, "posting-again", {"sink": command.sink, "seq": command.seq, **signed(author)})
    work.rows.asked_again.append((command.sink, command.seq))
    await desk.finish(work)
    desk.writer.ask_again()
    return True


async def settle_posting(desk: Desk, command: SettlePosting, author: Author) -> bool:
    """Close a refused posting that a person has settled at the other end: retention goes on.

    CommandRefused while another try is under way: it would book beside what the person did.
    """
    refused = await _refused(desk, command.sink, command.seq)
    if refused.asked and _can_be_tried(refused):
        raise CommandRefused(
            f"another try of posting {command.seq} by sink {command.sink} is under way",
            "wait for its answer: `gateway refused` shows it",
        )
    work = desk.working_copy()
    what = {"sink": command.sink, "seq": command.seq, "reason": command.reason, **signed(author)}
    note(work, "posting-settled", what)
    work.rows.closed_rejections[command.sink, command.seq] = Closing(work.now, command.reason, author.person)
    await desk.finish(work)
    return True


def _can_be_tried(refused: Refused) -> bool:
    return refused.order is not None and not refused.removed


async def tried_again(desk: Desk, sink: str, seq: int, refused: str) -> None:
    """Keep what came of offering a posting once more; where a person has closed it meanwhile, only tell if booked."""
    found = await desk.writer.store.refused(sink, seq)
    if found is None:
        return
    if found.closed is not None:
        if not refused and found.closed.reason != BOOKED:  # else it is this answer, come twice
            work = desk.working_copy()
            closed = {"closed": found.closed.reason, "closed_by": found.closed.person}
            note(work, _BOOKED_TOO, {"sink": sink, "seq": seq, **closed})
            await desk.finish(work)
        return
    work = desk.working_copy()
    what = {"sink": sink, "seq": seq, "tries": found.tries + 1}
    if refused:
        note(work, "posting-refused", {**what, "reason": refused})
        work.rows.rejections.append(Rejection(sink, seq, refused, work.now))
    else:
        note(work, "posting-booked", what)
        work.rows.closed_rejections[sink, seq] = Closing(work.now, BOOKED, f"sink {sink}")
    await desk.finish(work)


def note(work: WorkingCopy, name: str, said: Mapping[str, Any]) -> None:
    """Chain an entry that no command in the recording brings about, and what a person should know of it."""
    work.record("entry", recording.entry(name, said))
    work.add_journal(name, said)
    if name == _BOOKED_TOO:
        scope = (said["sink"], str(said["seq"]))
        kind, reason = ExceptionKind.NOTICE, _TWICE.format_map(said)
        work_list.enter(work, kind, scope, code=name, reason=reason, quantity=ZERO, uom="", at=work.now)


# One sentence whether it never was or is closed by now: a replay, which has none of them, refuses with the same.


async def _open(desk: Desk, number: int) -> Letter:
    letter = await desk.writer.store.letter(number)
    if letter is None or letter.closed is not None:
        raise CommandRefused(f"there is no open dead letter {number}", "`gateway letters` lists them")
    return letter


async def _refused(desk: Desk, sink: str, seq: int) -> Refused:
    found = await desk.writer.store.refused(sink, seq)
    if found is None or found.closed is not None:
        raise CommandRefused(
            f"there is no open refusal of posting {seq} by sink {sink}", "`gateway refused` lists them"
        )
    return found


HANDLERS: Handlers = {
    RedriveLetter: redrive_letter,
    DiscardLetter: discard_letter,
    RedrivePosting: redrive_posting,
    SettlePosting: settle_posting,
}
