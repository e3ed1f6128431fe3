"""Requests made from the API's own document, right and wrong: each is answered as the document says, none breaks.

Longer: `HYPOTHESIS_PROFILE=nightly .venv/bin/pytest -n0 tests/fuzz/test_api.py` (see budget.py).
"""

import random
from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

import httpx
import pytest

from tests.fuzz.background import SIGNATURE, in_the_background
from tests.fuzz.budget import NIGHTLY, PATIENCE, times
from tests.fuzz.openapi import Document, Request, operations, request
from tests.harness.balance import assert_sound
from tests.harness.site import Site, open_site

pytestmark = pytest.mark.timeout(PATIENCE)

KNOWN: dict[str, tuple[Any, ...]] = {  # what exists in the example: else little more than references would be refused
    "order": ("100045", "100046"),
    "line": ("L1",),
    "item": ("BOTTLE-500", "CAP-28", "CARTON-12", "COLA-CASE-12"),
    "lot": ("K-5501", "K-5502", "NEW-1"),
    "location": ("L1-BIN-4", "L1-BIN-1"),
    "operation": ("0010", "0020", "0030", "0040"),
    "uom": ("EA", "kg", "tray", "g"),
    "exception": (1, 2, 3),
    "document": (1, 2),
    "seq": (1, 2),
    "letter": (1, 2),
    "sink": ("erp",),
    "name": ("erp", "nobody"),
    "consumer": ("erp",),
    "person": ("anna",),
    "wait": (0,),
}


class Api(NamedTuple):
    site: Site
    document: Document
    said: list[str]

    def documented(self, asked: Request) -> set[int]:
        return {int(code) for code in self.document["paths"][asked.path][asked.method]["responses"]}

    def ask(self, asked: Request) -> httpx.Response:
        headers = {"Content-Type": "application/json"}
        return self.site.api.request(asked.method, asked.url, content=asked.body, headers=headers)


@pytest.fixture(scope="module")
def api(tmp_path_factory) -> Iterator[Api]:
    with open_site(tmp_path_factory.mktemp("api")) as site:
        with in_the_background(site) as heard:
            yield Api(site, site.api.get("/api/v1/openapi.json").json(), heard.said)

            assert [] == heard.said
        assert_sound(site.store)


def test_every_request_is_answered_as_the_document_says(api):
    seed = random.randrange(2**32) if NIGHTLY else 4711
    chance, answered = random.Random(seed), Counter()
    for _ in range(times(600)):
        asked = request(chance, api.document, KNOWN, SIGNATURE)
        answer = api.ask(asked)
        shown = f"seed {seed}: {asked} → {answer.status_code} {answer.text[:500]}"
        answered[answer.status_code // 100, asked.method] += 1

        assert answer.status_code < 500, shown
        assert answer.status_code in api.documented(asked), shown
        assert [] == api.said, shown
        if "json" in answer.headers["Content-Type"]:
            answer.json()

    assert answered[2, "post"]
    assert answered[2, "get"]
    assert answered[4, "post"]


def test_every_operation_of_the_document_is_asked(api):
    chance = random.Random(4711)
    asked = {request(chance, api.document, KNOWN, SIGNATURE)[:2] for _ in range(2000)}

    assert {(path, method) for method, path, _ in operations(api.document)} == asked
