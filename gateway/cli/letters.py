"""Dead letters and refused postings: listed from the store, tried again or closed by the running gateway."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from gateway.api.views.letters import as_text
from gateway.cli.daemon import Give, send, sending
from gateway.cli.options import Folder, Meaning, PasswordFile, User, signature
from gateway.cli.plain import plain
from gateway.cli.tables import moment, new_table, read_views, show
from gateway.domain import command
from gateway.errors import CommandRefused
from gateway.store.letters import Closed, Letter, Refused

_PAGE = 200
_SHOWN = 1000  # rows of a list
_TOLD = 500  # letters between two lines that say how far it is
_REASONS = 10  # that the end of a long run names
_PREVIEW = 60  # characters

Sink = Annotated[str | None, typer.Option("--sink", help="the sink that refused it")]
Why = Annotated[str, typer.Option("--reason", help="why, in your words")]
ClosedOnes = Annotated[bool, typer.Option("--closed", help="those that are closed")]


def letters(
    config_dir: Folder,
    *,
    closed: ClosedOnes = False,
    number: Annotated[int | None, typer.Option("--id", help="one of them, with all its bytes")] = None,
) -> None:
    """Show the messages that could not be read or done, oldest first, and why."""
    if number is not None:
        _show_whole(config_dir, number)
        return
    rows = read_views(config_dir, lambda views: views.letters(0, _SHOWN, closed=closed))
    shown = new_table(">#", "received", "device", "source", ">bytes", "says", "reason")
    for one in rows:
        reason = plain(one.reason) + _ended(one.closed)
        about = str(one.id), moment(one.at), one.device, plain(one.source)
        shown.add_row(*about, str(one.size), _beginning(one), reason)
    show(shown)
    _tell_of_more(rows)


def refused(config_dir: Folder, *, closed: ClosedOnes = False) -> None:
    """Show the postings that a sink refused and nobody settled yet, and why."""
    rows = read_views(config_dir, lambda views: views.refused(("", 0), _SHOWN, closed=closed))
    shown = new_table("sink", ">seq", "order", "last try", ">tries", "reason")
    for one in rows:
        reason = f"{plain(one.reason)}{_waits(one)}{_ended(one.closed)}"
        shown.add_row(one.sink, str(one.seq), one.order or "–", moment(one.at), str(one.tries), reason)
    show(shown)
    _tell_of_more(rows)


def redrive(
    config_dir: Folder,
    *,
    letter: Annotated[int | None, typer.Option("--letter", help="read this dead letter again")] = None,
    every: Annotated[bool, typer.Option("--all", help="read all of them again")] = False,
    sink: Sink = None,
    posting: Annotated[int | None, typer.Option("--posting", help="offer this posting to --sink once more")] = None,
) -> None:
    """Try again: a dead letter by the configuration in force now, or a posting that a sink refused."""
    if every and letter is None and posting is None:
        _redrive_all(config_dir)
    elif letter is not None and posting is None and not every:
        _redrive_one(config_dir, letter)
    elif posting is not None and sink and letter is None and not every:
        send(config_dir, command.RedrivePosting, {"sink": sink, "seq": posting})
        typer.echo(f"posting {posting} is offered to {sink} once more; `gateway refused` says what comes of it")
    else:
        raise typer.BadParameter("give --letter N, --all, or --sink S with --posting SEQ")


def discard(
    config_dir: Folder,
    *,
    letter: Annotated[int, typer.Argument(help="its number, as `gateway letters` shows it")],
    reason: Why,
    user: User = None,
    password_file: PasswordFile = None,
    meaning: Meaning = None,
) -> None:
    """Close a dead letter without doing what it says, signed; its bytes stay."""
    signed = signature(user, password_file, meaning or "message discarded")
    send(config_dir, command.DiscardLetter, {"letter": letter, "reason": reason}, signed)
    typer.echo(f"letter {letter} is closed: nothing comes of it")


def settle_posting(
    config_dir: Folder,
    *,
    sink: str,
    posting: int,
    reason: Why,
    user: User = None,
    password_file: PasswordFile = None,
    meaning: Meaning = None,
) -> None:
    """Close a refused posting that was settled by hand at the other end, signed."""
    signed = signature(user, password_file, meaning or "settled at the other end")
    send(config_dir, command.SettlePosting, {"sink": sink, "seq": posting, "reason": reason}, signed)
    typer.echo(f"posting {posting} is settled: {sink} is not offered it again")


def _redrive_one(config_dir: Path, number: int) -> None:
    try:
        outcome = send(config_dir, command.RedriveLetter, {"letter": number})
    except CommandRefused as refusal:
        found = read_views(config_dir, lambda views: views.letter(number))
        if found is None or found.closed:
            raise
        way_out = refusal.hint or f"correct the cause and try again, or close it: gateway discard CONFIG_DIR {number}"
        raise CommandRefused(f"letter {number} stays: {refusal.message}", way_out) from refusal
    typer.echo(f"letter {number}: {outcome}")


def _redrive_all(config_dir: Path) -> None:
    """Read every open letter again, each in a transaction of its own; say how far it is and what remains."""
    done, remain = 0, Counter[str]()
    with sending(config_dir) as give:
        for count, one in enumerate(_open_letters(config_dir), 1):
            reason = _why_not(give, one)
            done += not reason
            remain.update([reason] if reason else [])
            if count % _TOLD == 0:
                typer.echo(f"{count} letters: {done} closed, {count - done} remain")
    typer.echo(f"{done} letters closed, {remain.total()} remain")
    for reason, times in remain.most_common(_REASONS):
        typer.echo(f"  {times} × {plain(reason)}")
    if len(remain) > _REASONS:
        typer.echo(f"  and {len(remain) - _REASONS} other reasons")


def _why_not(give: Give, number: int) -> str:
    try:
        give(command.RedriveLetter, {"letter": number})
    except CommandRefused as refusal:
        return refusal.message
    return ""


def _open_letters(config_dir: Path) -> Iterator[int]:
    """Yield the open letters by id, page by page, each once: those that still can't be read are passed."""
    after = 0
    while page := read_views(config_dir, lambda views, after=after: views.letters(after, _PAGE)):  # type: ignore[misc]  # mypy knows no default of a lambda
        yield from (one.id for one in page)
        after = page[-1].id


def _show_whole(config_dir: Path, number: int) -> None:
    one = read_views(config_dir, lambda views: views.letter(number))
    if one is None:
        raise CommandRefused(f"there is no dead letter {number}", "`gateway letters` lists them")
    console = Console(highlight=False, markup=False, soft_wrap=True)
    console.print(f"letter {one.id} of {one.device}, {plain(one.source)}, received {moment(one.at)}, {one.size} bytes")
    console.print(f"{plain(one.reason)}{_ended(one.closed)}")
    text = as_text(one.payload)
    typer.echo(text if text is not None else one.payload.hex(" "))


def _beginning(one: Letter) -> str:
    text = as_text(one.payload)
    said = " ".join(text.split()) if text is not None else one.payload.hex(" ")
    return said if len(said) <= _PREVIEW and len(one.payload) == one.size else f"{said[:_PREVIEW]}…"


def _waits(one: Refused) -> str:
    if one.closed:
        return ""
    if one.removed:
        return f" · sink {one.sink} is not in gateway.yaml any more: gateway settle-posting closes it"
    return " · is offered once more" if one.asked else ""


def _ended(closed: Closed | None) -> str:
    return f" · closed by {plain(closed.person)}: {plain(closed.reason)}" if closed else ""


def _tell_of_more(rows: list[Letter] | list[Refused]) -> None:
    if len(rows) == _SHOWN:
        typer.echo(f"the first {_SHOWN} of them; `gateway status` says how many there are")
