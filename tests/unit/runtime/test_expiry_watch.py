"""What ends is told of in the work list, before and after, until there is another."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from gateway.domain.clock import Instant
from gateway.domain.exception import ExceptionKind
from gateway.runtime.expiry_watch import EXPIRED, EXPIRES, ExpiryWatch
from gateway.sinks.http import HttpSinkSettings
from gateway.transport.validity import Life
from tests.harness.certificates import Authority
from tests.unit.pipeline.plant import Plant

DAY = timedelta(days=1)


@dataclass
class Calendar:
    """A clock that a test sets."""

    wall: datetime = field(default_factory=lambda: datetime.now(UTC))

    def now(self) -> Instant:
        return Instant(self.wall, 0, "boot")


@pytest.fixture
async def plant(tmp_path: Path):
    made = Plant(tmp_path / "gateway.db")
    await made.open()
    made.run()
    yield made
    await made.close()


async def told(plant: Plant, watch: ExpiryWatch) -> dict[tuple[str, str], str]:
    """Return the open alarms after a look."""
    await watch.look()
    every = plant.state.exceptions.values()
    return {one.scope: one.reason for one in every if one.kind is ExceptionKind.ALARM}


def watching(plant: Plant, clock: Calendar, *sinks: HttpSinkSettings, **api: Life) -> ExpiryWatch:
    config: Any = SimpleNamespace(gateway=SimpleNamespace(sinks=sinks), devices={})
    return ExpiryWatch(lambda: config, lambda: {name: (life,) for name, life in api.items()}, plant.pipeline, clock)


async def test_the_apis_list_is_told_of_before_it_ends_and_after(plant: Plant) -> None:
    clock = Calendar()
    life = Life("the revocation list of CN=clients", clock.wall, clock.wall + 10 * DAY)
    watch = watching(plant, clock, client_crl=life)
    alarms = [await told(plant, watch)]
    for _ in range(2):
        clock.wall += 9 * DAY
        alarms.append(await told(plant, watch))
    about = "api tls.client_crl"

    assert [set(), {(about, EXPIRES)}, {(about, EXPIRED)}] == [set(one) for one in alarms]
    assert alarms[2][about, EXPIRED].startswith(f"{about}: the revocation list of CN=clients expired ")
    assert alarms[2][about, EXPIRED].endswith("renew the file, and send SIGHUP")


async def test_the_alarm_is_over_once_a_sinks_file_is_renewed(plant: Plant, tmp_path: Path) -> None:
    authority, lists = Authority(tmp_path, "plant-ca"), tmp_path / "lists.pem"
    lists.write_bytes(authority.revocations(days=-1))
    settings = {"sink": "erp", "kind": "http", "url": "https://central/"}
    tls = {"ca": str(authority.certificate), "crl": str(lists)}
    watch = watching(plant, Calendar(), HttpSinkSettings.model_validate(settings | {"tls": tls}))
    before = await told(plant, watch)
    lists.write_bytes(authority.revocations(days=20))
    after = await told(plant, watch)

    assert ("sink erp tls.crl", EXPIRED) in before
    assert ("sink erp tls.crl", EXPIRED) not in after
