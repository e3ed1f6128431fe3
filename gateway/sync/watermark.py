"""How far a delivery moves a sink's watermark. Pure."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from gateway.ports import Delivery, Document


class Step(NamedTuple):
    """The new watermark, and what was refused (seq → reason) up to it."""

    through: int
    rejected: Mapping[int, str]


def step(through: int, sent: Sequence[Document], delivery: Delivery) -> Step:
    """Move `through` over the documents without a gap that are booked or refused for good.

    What was booked beyond the first open one is sent again: the sink knows it by its identity.
    """
    rejected: dict[int, str] = {}
    for document in sent:
        seq = document.seq
        if seq in delivery.rejected:
            rejected[seq] = delivery.rejected[seq]
        elif seq not in delivery.delivered:
            break
        through = seq
    return Step(through, rejected)
