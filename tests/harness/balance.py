"""The comparison that every fault test ends with: the machines' ledger, the store and the ERP's books."""

from collections import Counter, defaultdict
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

from gateway.store.verify import verify
from simulators import books, ledger
from tests.harness.site import Site
from tests.harness.until import until

T = TypeVar("T")
Units = dict[tuple[str, str], Decimal]
Body = dict[str, Any]
Lot = tuple[str, str, str]  # item, lot, location
ZERO = Decimal(0)


def made(site: Site, *parts: str) -> dict[tuple[str, str], ledger.Made]:
    """Return the machines' ground truth; `parts`: folders of machines with a process of their own."""
    found: dict[tuple[str, str], ledger.Made] = {}
    for part in parts or ("",):
        found |= ledger.read(site.root / part / "truth")
    return found


def settle(site: Site, *parts: str, within: float = 120.0) -> None:
    """Wait until all that was made is counted, every window closed, and all that was posted is at the ERP.

    What waits for the clock is tried again by itself, within the seconds between two looks at it: waited for as well.
    It is looked at in the order in which units pass: who looks at the windows first misses one that opens meanwhile.
    """
    totals = {name: one.total for name, one in made(site, *parts).items()}
    until(
        lambda: (
            _all_counted(site.status(), totals)
            and _nothing_waits_for_the_clock(site)
            and no_window(site)
            and nothing_to_send(site.status())
        ),
        within=within,
        what=lambda: f"{totals} in {site.status()}",
    )


def no_window(site: Site) -> bool:
    """Tell whether no document is open: what is in one is counted, but not at the ERP."""
    return site.rows("SELECT count(*) FROM open_document") == [(0,)]


def _nothing_waits_for_the_clock(site: Site) -> bool:
    return site.rows("SELECT count(*) FROM exception WHERE code = 'clock' AND closed_at IS NULL") == [(0,)]


def _all_counted(status: dict[str, Any], totals: Units) -> bool:
    counted = {(one["device"], one["signal"]): Decimal(one["counted"]) for one in status.get("signals", [])}
    return bool(status) and all(counted.get(name, ZERO) >= one for name, one in totals.items())


def nothing_to_send(status: dict[str, Any]) -> bool:
    """Tell whether that status says that everybody has all that was posted; look at the windows before."""
    waiting = [one["waiting"] for one in status.get("consumers", [])]
    return bool(waiting) and not any(waiting)


def caught_up(site: Site) -> None:
    """Wait until every counter stands where its machine does, even if the units between were lost."""
    truth = ledger.Ledger(site.root / "truth")
    until(lambda: all(_same(truth, *row) for row in _checkpoints(site)), what=lambda: _checkpoints(site))
    until(lambda: no_window(site) and nothing_to_send(site.status()), what=site.status)


def _checkpoints(site: Site) -> list[tuple[str, str, str]]:
    return site.rows("SELECT device, signal, value FROM checkpoint")


def _same(truth: ledger.Ledger, device: str, signal: str, value: str) -> bool:
    last = truth.last(device, signal)
    return last is not None and last.value == int(value)


def lost(site: Site, *parts: str) -> Units:
    """Return what the machines made and neither the ERP's books nor an exception has; below zero: too much."""
    booked = books.units(books.books(site.root / "erp.db"))
    held = _held(site)
    truth = {name: one.total for name, one in made(site, *parts).items()}
    names = truth.keys() | booked.keys() | held.keys()
    missing = {name: truth.get(name, ZERO) - booked.get(name, ZERO) - held.get(name, ZERO) for name in sorted(names)}
    return {name: quantity for name, quantity in missing.items() if quantity}


def _held(site: Site) -> Units:
    rows = site.rows("SELECT device, signal, held FROM tally")
    return {(device, signal): Decimal(quantity) for device, signal, quantity in rows}


def assert_exact(site: Site, *parts: str) -> None:
    """Nothing lost, nothing held, nothing twice, each MQTT message once, and the store proves itself."""
    truth = made(site, *parts)
    bodies = books.books(site.root / "erp.db")
    booked = Counter((one["device"], one["signal"], one["key"]) for body in bodies for one in body["triggers"])
    ids = Counter((*name, key) for name, one in truth.items() for key in one.ids)

    assert not lost(site, *parts)
    assert not any(_held(site).values()), site.rows("SELECT * FROM exception WHERE closed_at IS NULL")
    assert {name for name, one in truth.items() if one.total} == set(books.units(bodies))
    assert not [one for one, times in booked.items() if times > 1]
    assert ids == Counter({one: times for one, times in booked.items() if one[:2] in _named(truth)})
    assert_books_agree(site)
    assert_sound(site.store)


def assert_books_agree(site: Site) -> None:
    """What the ERP received and issued, reversals taken out, is what the gateway's totals and lots say."""
    bodies = books.books(site.root / "erp.db")

    assert _without_zero(_counted(site, bodies)) == _without_zero(_made(bodies))
    assert _without_zero(_consumed(site)) == _without_zero(_issued(bodies))


def _made(bodies: list[Body]) -> dict[str, Decimal]:
    """Return what the ERP booked as output, by operation."""
    total: defaultdict[str, Decimal] = defaultdict(Decimal)
    for body in bodies:
        total[body["operation"]] += sum((Decimal(body["output"][kind]) for kind in ("good", "scrap", "rework")), ZERO)
    return total


def _counted(site: Site, bodies: list[Body]) -> dict[str, Decimal]:
    """Return what the gateway has posted and not reversed since, by the operations that it posted it at."""
    places = {(one["device"], one["signal"]): body["operation"] for body in bodies for one in body["triggers"]}
    total: defaultdict[str, Decimal] = defaultdict(Decimal)
    for device, signal, posted, scrapped in site.rows("SELECT device, signal, posted, scrapped FROM tally"):
        total[places.get((device, signal), "")] += Decimal(posted) + Decimal(scrapped)
    return total


def _issued(bodies: list[Body]) -> dict[Lot, Decimal]:
    """Return what the ERP booked as consumed of each lot."""
    total: defaultdict[Lot, Decimal] = defaultdict(Decimal)
    for line in (line for body in bodies for line in body["lines"] if line["use"] == "consumed"):
        total[line["item"], line["lot"], line["location"]] += Decimal(line["quantity"])
    return total


def _consumed(site: Site) -> dict[Lot, Decimal]:
    total: defaultdict[Lot, Decimal] = defaultdict(Decimal)
    for item, lot, location, consumed in site.rows("SELECT item, lot, location, consumed FROM lot_balance"):
        total[item, lot, location] += Decimal(consumed)
    return total


def _without_zero(total: dict[T, Decimal]) -> dict[T, Decimal]:
    return {name: quantity for name, quantity in total.items() if quantity}


def _named(truth: dict[tuple[str, str], ledger.Made]) -> set[tuple[str, str]]:
    return {name for name, one in truth.items() if one.ids}


def assert_sound(store: Path) -> None:
    """What `gateway verify` would say."""
    failed = [check for check in verify(store).checks if not check.ok]

    assert not failed, failed
