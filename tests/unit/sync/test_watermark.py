"""How far a delivery moves the watermark."""

import pytest

from gateway.ports import Delivery, Document
from gateway.sync.watermark import Step, step


def documents(first: int, last: int) -> list[Document]:
    return [Document(seq, b"{}") for seq in range(first, last + 1)]


def delivery(*delivered: int, **rejected: str) -> Delivery:
    return Delivery(frozenset(delivered), {int(seq[1:]): reason for seq, reason in rejected.items()})


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        pytest.param(delivery(4, 5, 6), Step(6, {}), id="all booked"),
        pytest.param(delivery(), Step(3, {}), id="none booked"),
        pytest.param(delivery(4, 6), Step(4, {}), id="stops before the first open one"),
        pytest.param(delivery(5, 6), Step(3, {}), id="the first open one blocks what is booked behind it"),
        pytest.param(delivery(4, 6, s5="no"), Step(6, {5: "no"}), id="a refusal for good is passed"),
        pytest.param(delivery(4, s6="no"), Step(4, {}), id="a refusal beyond the watermark is told again later"),
        pytest.param(delivery(4, 5, 6, 7, 900), Step(6, {}), id="what was not sent counts for nothing"),
        pytest.param(delivery(4, 5, 6, s900="no", s2="no"), Step(6, {}), id="a refusal of what was not sent neither"),
    ],
)
def test_the_watermark_moves_over_what_is_settled_without_a_gap(answer: Delivery, expected: Step) -> None:
    moved = step(3, documents(4, 6), answer)

    assert expected == moved
