"""What the posting log itself says was posted, signal by signal: read from the stored bodies, not from totals."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import orjson

from gateway.domain.event import EventKind, SignalId
from gateway.domain.quantity import ZERO
from gateway.formats.chain import unseal
from gateway.store.connection import connect_reader
from gateway.store.load import TALLIES
from gateway.store.totals import retained

_BODIES = "SELECT seq, body FROM posting ORDER BY seq"


@dataclass(slots=True)
class Account:
    """One signal's units: posted good, posted as scrap, held by exceptions, and posted more than once."""

    posted: Decimal = ZERO
    scrapped: Decimal = ZERO
    held: Decimal = ZERO
    doubled: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class Books:
    """`hashes` by seq: the identity under which a central system has each posting."""

    accounts: dict[SignalId, Account]
    hashes: dict[int, str]


def read_books(path: Path) -> Books:
    """Return what the store's postings add up to. A trigger in a second posting counts as doubled, not as posted."""
    accounts: defaultdict[SignalId, Account] = defaultdict(Account)
    hashes: dict[int, str] = {}
    seen: Counter[tuple[SignalId, str]] = Counter()
    with closing(connect_reader(path)) as connection:
        for total, quantity in retained(connection).items():
            if total.kind in ("posted", "scrapped"):
                _add(accounts[SignalId(total.key_1, total.key_2)], total.kind, quantity)
        for device, signal, *_, held in connection.execute(TALLIES):
            accounts[SignalId(device, signal)].held = Decimal(held)
        for seq, body in connection.execute(_BODIES):
            hashes[seq] = f"sha256:{unseal(body)[2].hex()}"
            for name, key, kind, quantity in _triggers(body):
                seen[name, key] += 1
                _add(accounts[name], "doubled" if seen[name, key] > 1 else kind, quantity)
    return Books(dict(accounts), hashes)


def _add(account: Account, column: str, quantity: Decimal) -> None:
    setattr(account, column, getattr(account, column) + quantity)


def _triggers(body: bytes) -> Iterator[tuple[SignalId, str, str, Decimal]]:
    for trigger in orjson.loads(body)["triggers"]:
        column = "scrapped" if trigger["event"] == EventKind.SCRAP_UNITS else "posted"
        name = SignalId(trigger["device"], trigger["signal"])
        yield name, trigger["key"], column, Decimal(trigger["quantity"])
