"""The same fault many times over, under load: short in CI, long by command (long.py)."""

import random
import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path

from simulators.books import books
from tests.harness.balance import lost, made
from tests.harness.load import Load, Moments, Told, nobody
from tests.harness.power import Disk
from tests.harness.site import Site

_KILL = Moments(0.05, 1.0)
_LATELY = 2000  # postings that one cut may cost; what is older was compared after an earlier one
_CUT = Moments(0.3, 2.0)  # the shortest still reaches a commit or two in most lives


def kill_often(load: Load, times: int, seed: int, *, moments: Moments = _KILL, told: Told = nobody) -> None:
    """Kill the gateway at random moments and start it at once; then let everything catch up."""
    load.begin()
    for number in load.faults(times, random.Random(seed), moments):
        load.gateway.kill()
        load.gateway.start()
        told(number)
    load.end()


def powered(site: Site) -> Disk:
    """Return a disk for the site's store; ledgers, broker and ERP stay outside, nobody cuts their power."""
    return site.keep(Disk(site.root / "disk.img", site.store.parent))


def cut_often(load: Load, disk: Disk, times: int, seed: int, *, told: Told = nobody) -> int:
    """Cut the power at random moments; return how many postings the ERP had and the disk then hadn't, in all."""
    load.begin()
    missing = 0
    for number in load.faults(times, random.Random(seed), _CUT):
        missing += cut_power(load, disk)
        told(number)
    return missing


def cut_power(load: Load, disk: Disk, way: str = "run") -> int:
    """Cut the power now and start again; return how many postings the ERP has acknowledged and the disk hasn't."""
    disk.cut()
    load.gateway.kill()
    disk.back()
    missing = len(lost_postings(load.site))
    load.gateway.start(way)
    return missing


def acknowledged(site: Site) -> int:
    """Return the newest seq that the ERP has booked, 0 at first."""
    return max(_newest(site.root / "erp.db", "SELECT seq, hash FROM booking"), default=0)


def lost_postings(site: Site) -> list[int]:
    """Return the seq of what the ERP has acknowledged lately and the store doesn't have, or has otherwise."""
    booked = _newest(site.root / "erp.db", "SELECT seq, hash FROM booking")
    kept = _newest(site.store, "SELECT seq, body ->> '$.hash' FROM posting") if site.store.exists() else {}
    return [seq for seq, sealed in booked.items() if kept.get(seq) != sealed and seq > max(kept, default=0) - _LATELY]


def _newest(file: Path, query: str) -> dict[int, str]:
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as database:
        return dict(database.execute(f"{query} ORDER BY seq DESC LIMIT {2 * _LATELY}"))


def lost_messages(site: Site) -> set[str]:
    """Return the ids of what the machines sent over MQTT and no posting at the ERP has: acknowledged too early."""
    booked = {one["key"] for body in books(site.root / "erp.db") for one in body["triggers"]}
    return {key for one in made(site).values() for key in one.ids} - booked


def balance_of(site: Site) -> str:
    """Say what was made, and how much of it is lost, or booked twice."""
    bodies = books(site.root / "erp.db")
    units = {name: one.total for name, one in made(site).items()}
    missing = lost(site)
    times = Counter((one["device"], one["signal"], one["key"]) for body in bodies for one in body["triggers"])
    short = sum(quantity for quantity in missing.values() if quantity > 0)
    beyond = -sum(quantity for quantity in missing.values() if quantity < 0)
    return (
        f"{len(bodies)} postings of {', '.join(f'{quantity} {signal}' for (_, signal), quantity in units.items())}; "
        f"lost {short + len(lost_messages(site))}, twice {beyond + sum(one > 1 for one in times.values())}"
    )
