"""What people decide at a running line: overruns, reversals, the close of an order; and what can be asked of it."""

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from hashlib import sha256
from typing import Any

import pytest

from simulators import books
from tests.harness.balance import assert_books_agree, assert_exact, assert_sound, lost, settle
from tests.harness.people import enrol, give, refused, signature, signs
from tests.harness.process import Process
from tests.harness.site import Site, open_site, running_line
from tests.harness.until import until

pytestmark = pytest.mark.timeout(120)

SPEED = 4
ORDER = "100045"
VIEWER = "token of somebody who may only look"
Json = dict[str, Any]


def start(site: Site) -> Process:
    site.gateway()
    site.connected()


def configured(root_site: Site) -> Process:
    line = running_line(root_site, speed=SPEED)
    enrol(root_site)
    with root_site.changed("gateway.yaml") as data:
        token = {"name": "wall", "role": "viewer", "sha256": sha256(VIEWER.encode()).hexdigest()}
        data["api"]["tokens"].append(token)
    return line
