"""What a signature signs."""

from decimal import Decimal

import pytest

from gateway.domain.command import Reverse
from gateway.domain.event import SignalId
from gateway.domain.exception import ExceptionKind, ExceptionRecord
from gateway.formats import signed
from tests.factories import NOON


def test_the_same_command_and_posting_give_the_same_record():
    once, again = (signed.record(Reverse(7, "R01", Decimal("2.5")), "sha256:aa") for _ in range(2))

    assert once == again


def test_another_posting_is_another_record():
    here, there = (signed.record(Reverse(7, "R01"), posting) for posting in ("sha256:aa", "sha256:bb"))

    assert here != there


def test_what_no_command_carries_is_not_signed():
    with pytest.raises(TypeError):
        signed.record(Reverse(7, "R01", {2}))


@pytest.mark.parametrize("of", [signed.held, signed.deviation])
def test_an_entry_is_the_same_in_memory_and_as_the_store_reads_it(of):
    scopes = SignalId("FILLER-1", "good"), ("FILLER-1", "good")
    live, read = (
        ExceptionRecord(7, ExceptionKind.COUNTER, "swapped", "why", scope, Decimal(5), "", 1, NOON, NOON, NOON)
        for scope in scopes
    )

    assert of(live) == of(read)
