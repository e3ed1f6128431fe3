"""Dead letters and refused postings by hand: tried again, or set aside.

None of these commands is recorded as one, since a replay has neither letters nor sinks. What follows from them is:
the entry in the journal, and the events and gaps of a letter's message.
"""

from collections.abc import Mapping
from typing import Any

from gateway.domain.command import DiscardLetter, RedriveLetter, RedrivePosting, SettlePosting
from gateway.domain.signature import Author
from gateway.errors import CommandRefused
from gateway.pipeline import messages, recording, redriving
from gateway.pipeline.commands.desk import Desk, Handlers
from gateway.pipeline.commands.signing import signed
from gateway.pipeline.working_copy import WorkingCopy
from gateway.store.batch import Closing, Rejection
from gateway.store.letters import Letter, Refused

BOOKED = "booked on another try"


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
    if refused.asked:
        return False
    work = desk.working_copy()
    note(work, "posting-again", {"sink": command.sink, "seq": command.seq, **signed(author)})
    work.rows.asked_again.append((command.sink, command.seq))
    await desk.finish(work)
    desk.writer.ask_again()
    return True


async def settle_posting(desk: Desk, command: SettlePosting, author: Author) -> bool:
    """Close a refused posting that a person has settled at the other end: retention goes on."""
    await _refused(desk, command.sink, command.seq)
    work = desk.working_copy()
    what = {"sink": command.sink, "seq": command.seq, "reason": command.reason, **signed(author)}
    note(work, "posting-settled", what)
    work.rows.closed_rejections[command.sink, command.seq] = Closing(work.now, command.reason, author.person)
    await desk.finish(work)
    return True


async def tried_again(desk: Desk, sink: str, seq: int, refused: str) -> None:
    """Keep what came of offering a posting once more; nothing where a person has closed it meanwhile."""
    found = await desk.writer.store.refused(sink, seq)
    if found is None or found.closed is not None:
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
    """Chain an entry that no command in the recording brings about."""
    work.record("entry", recording.entry(name, said))
    work.add_journal(name, said)


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
