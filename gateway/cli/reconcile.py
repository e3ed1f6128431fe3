"""`gateway reconcile DIR`: the machines' own ledger against the gateway's postings against the ERP's books."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from gateway.cli.store_path import store_of
from gateway.domain.event import SignalId
from gateway.domain.quantity import ZERO, text
from gateway.errors import ConfigError
from gateway.store.accounts import Account, Identity, read_books
from simulators import books, ledger


@dataclass(frozen=True, slots=True)
class Balance:
    """One signal: what the machine made, and where the gateway has it."""

    name: SignalId
    made: Decimal
    uom: str
    account: Account

    @property
    def lost(self) -> Decimal:
        """Units the machine made that are nowhere."""
        return max(ZERO, self.made - self._accounted)

    @property
    def doubled(self) -> Decimal:
        """Units that are somewhere twice, or that no machine made."""
        return self.account.doubled + max(ZERO, self._accounted - self.made)

    @property
    def _accounted(self) -> Decimal:
        return self.account.posted + self.account.held + self.account.scrapped + self.account.reversed

    def __str__(self) -> str:
        parts = (
            ("made", self.made),
            ("posted", self.account.posted),
            ("held", self.account.held),
            ("scrapped", self.account.scrapped),
            ("reversed", self.account.reversed),
            ("lost", self.lost),
            ("doubled", self.doubled),
        )
        return " · ".join(f"{word} {text(quantity)}" for word, quantity in parts)


@dataclass(frozen=True, slots=True)
class Bookings:
    """The gateway's postings against the ERP's bookings, by store and seq."""

    postings: int
    booked: int
    missing: int  # posted here, neither booked nor refused there
    unknown: int  # booked there, not posted here
    different: int  # the same store and seq with other content
    doubled: int  # booked there more than once, under whatever number or store
    refused: int  # posted here, refused there

    @property
    def equal(self) -> bool:
        """Whether the ERP has exactly what was posted."""
        return not (self.missing or self.unknown or self.different or self.doubled or self.refused)

    def __str__(self) -> str:
        parts = ["postings", "booked", "missing", "unknown", "different", "doubled"]
        parts += ["refused"] if self.refused else []
        return " · ".join(f"{word} {getattr(self, word)}" for word in parts)


def reconcile(directory: Annotated[Path, typer.Argument(help="a folder kept by `gateway demo --dir`")]) -> None:
    """Compare machines, gateway and central ERP unit for unit; exit 1 when they differ."""
    raise typer.Exit(0 if print_report(directory) else 1)


def print_report(directory: Path) -> bool:
    """Print the comparison; return whether everything balances."""
    truth = directory / "truth"
    if not truth.is_dir():
        raise ConfigError(f"{directory} has no folder truth", "give the folder of `gateway demo --dir DIR`")
    own = read_books(store_of(directory))
    console = Console(highlight=False, soft_wrap=True)
    balances = compare(ledger.read(truth), own.accounts)
    for one in balances:
        good = not (one.lost or one.doubled)
        console.print(f"{one.name!s:24} {one} {one.uom}".rstrip(), style="green" if good else "bold red", markup=False)
    bookings = compare_books(own.hashes, directory / "erp.db")
    console.print(f"{'central ERP':24} {bookings}", style="green" if bookings.equal else "bold red")
    return bookings.equal and all(not (one.lost or one.doubled) for one in balances)


def compare(made: Mapping[tuple[str, str], ledger.Made], accounts: Mapping[SignalId, Account]) -> list[Balance]:
    """Return the balance of every signal that either side knows."""
    truth = {SignalId(*name): one for name, one in made.items()}
    nothing = ledger.Made(ZERO, "")
    return [
        Balance(name, truth.get(name, nothing).total, truth.get(name, nothing).uom, accounts.get(name, Account()))
        for name in sorted({*truth, *accounts})
    ]


def compare_books(own: Mapping[Identity, str], erp: Path) -> Bookings:
    """Return how the ERP's books differ from the gateway's log."""
    rows = books.books(erp)
    booked = {(body["store"], body["seq"]): body["hash"] for body in rows}
    both, open_there = own.keys() & booked.keys(), own.keys() - booked.keys()
    refused = open_there & books.refused(erp)
    return Bookings(
        postings=len(own),
        booked=len(rows),
        missing=len(open_there - refused),
        unknown=len(booked.keys() - own.keys()),
        different=sum(own[one] != booked[one] for one in both),
        doubled=len(rows) - len({body["hash"] for body in rows}),
        refused=len(refused),
    )
