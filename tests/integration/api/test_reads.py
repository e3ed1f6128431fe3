"""Genealogy, explanation, full documents, measures and shadows over HTTP."""

import pytest

from tests.integration.api.conftest import Site
from tests.unit.store.booking import Book
from tests.unit.store.bottling import FIRST, Bottling, used


@pytest.fixture
async def bottled(site: Site) -> Bottling:
    plant = Bottling(site.writer.store)
    plant.stage("BOTTLE", "B-1", "Glassworks")
    plant.count("0010", 12, used("BOTTLE", "B-1", "12"))
    plant.count("0030", 1, used("CARTON", "K-1", "1"), sscc=FIRST)
    await plant.commit()
    return plant


@pytest.mark.usefixtures("bottled")
async def test_a_case_answers_with_its_lots_as_decimal_strings(site: Site) -> None:
    answer = (await site.client("viewer").get("/api/v1/genealogy", params={"sscc": f"(00){FIRST}"})).json()
    (case,) = answer["cases"]
    lot = case["operations"][0]["components"][0]["lots"][0]

    assert (lot["lot"], lot["supplier"], lot["quantity"], lot["seq"]) == ("B-1", "Glassworks", "12", 1)
    assert (answer["lots"], answer["finished_lots"]) == ([], [])


@pytest.mark.usefixtures("bottled")
async def test_lots_are_traced_in_both_directions(site: Site) -> None:
    viewer = site.client("viewer")

    forward = (await viewer.get("/api/v1/genealogy", params={"lot": "B-1", "item": "BOTTLE"})).json()
    back = (await viewer.get("/api/v1/genealogy", params={"finished_lot": "C-1"})).json()
    finished = forward["lots"][0]["orders"][0]["finished_lots"][0]

    assert [one["sscc"] for one in finished["cases"]] == [FIRST]
    assert [one["lot"] for one in back["finished_lots"][0]["components"]] == ["B-1", "K-1"]


@pytest.mark.parametrize(
    ("asked", "field", "why"),
    [
        ({}, ["query"], "ask for one of sscc, lot and finished_lot"),
        ({"lot": "B-1", "sscc": FIRST}, ["query"], "ask for one of sscc, lot and finished_lot"),
        ({"item": "BOTTLE", "sscc": FIRST}, ["query", "item"], "the item belongs to a lot"),
        ({"sscc": "106141412345678909"}, ["query", "sscc"], "Expected 8, got 9"),
        ({"sscc": "CASE-7"}, ["query", "sscc"], "is no SSCC"),
        ({"pallet": "7"}, ["query", "pallet"], "Extra inputs"),
    ],
)
async def test_a_wrong_question_names_the_field(site: Site, asked: dict, field: list[str], why: str) -> None:
    answer = await site.client("viewer").get("/api/v1/genealogy", params=asked)
    (fault,) = answer.json()["detail"]

    assert (answer.status_code, fault["loc"]) == (422, field)
    assert why in fault["msg"]


@pytest.mark.parametrize(
    ("path", "what"),
    [
        ("genealogy?lot=NOPE", "nothing is known of lot NOPE"),
        ("genealogy?finished_lot=NOPE", "nothing is known of finished lot NOPE"),
        (f"genealogy?sscc={FIRST}", f"nothing is known of SSCC {FIRST}"),
        ("orders/NOPE/documents", "there is no order NOPE"),
    ],
)
async def test_what_nobody_knows_is_not_found(site: Site, path: str, what: str) -> None:
    answer = await site.client("viewer").get(f"/api/v1/{path}")

    assert (answer.status_code, answer.json()["detail"]) == (404, what)


async def test_a_posting_explains_itself(site: Site) -> None:
    seq = await Book(site.writer.store).post("7")

    answer = (await site.client("viewer").get(f"/api/v1/postings/{seq}/explain")).json()
    draw = answer["triggers"][0]["draws"][1]

    assert (draw["item"], draw["due"], draw["remainder"]) == ("CO2", "0.036", "-0.00011975")


async def test_a_posting_that_never_was_is_not_found(site: Site) -> None:
    answer = await site.client("viewer").get("/api/v1/postings/7/explain")

    assert (answer.status_code, answer.json()["detail"]) == (404, "there is no posting 7")


@pytest.mark.usefixtures("bottled")
async def test_full_documents_of_an_order(site: Site) -> None:
    viewer = site.client("viewer")

    answer = (await viewer.get("/api/v1/orders/100045/documents")).json()
    faulty = await viewer.get("/api/v1/orders/100045/documents", params={"day": "yesterday"})

    assert (answer["planned"], answer["documents"][0]["postings"]) == ("1000", 2)
    assert faulty.status_code == 422


@pytest.mark.usefixtures("bottled")
async def test_measures_and_shadows_are_served(site: Site) -> None:
    viewer = site.client("viewer")

    measures = (await viewer.get("/api/v1/measures")).json()["measures"]
    shadow = (await viewer.get("/api/v1/shadow")).json()

    assert set(measures) >= {"usage_variance", "exception_rate", "quality", "fill_weight"}
    assert shadow == {"shadow": []}
