"""What a signature is bound to."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from hashlib import sha256

from gateway.domain.command import CountLot, EditedLine, EnterOutput, PinBom, Reverse
from gateway.domain.lot import LotKey, Owner
from gateway.formats.signed import record

REVERSE = Reverse(17, "MISCOUNT", Decimal("2.50"))


def test_anybody_can_compute_it_again() -> None:
    written = (
        '{"body":{"reason":"MISCOUNT","seq":17,"units":"2.5"},"command":"Reverse","posting":"sha256:ab"}'  # sorted
    )

    assert f"sha256:{sha256(written.encode()).hexdigest()}" == record(REVERSE, "sha256:ab")


def test_another_command_or_another_posting_is_another_record() -> None:
    records = {
        record(REVERSE, "sha256:ab"),
        record(REVERSE, "sha256:cd"),
        record(replace(REVERSE, units=None), "sha256:ab"),
        record(replace(REVERSE, reason="OTHER"), "sha256:ab"),
    }

    assert 4 == len(records)


def test_every_part_of_a_nested_command_counts() -> None:
    key = LotKey(Owner("line", "L1"), "CAP-28", "L-7", "L1-CAP")
    count = CountLot("C-1", key, Decimal(5), "EA", "COUNT")
    other = replace(count, key=key._replace(owner=Owner("order", "L1")))

    assert record(count) != record(other)


def test_edited_lines_count() -> None:
    entry = EnterOutput("E-1", "100045", "0010", lines=(EditedLine("0010", Decimal(1)),))

    assert record(entry) != record(replace(entry, lines=(EditedLine("0010", Decimal(2)),)))


def test_times_are_those_of_the_moment_in_utc() -> None:
    since = datetime(2026, 11, 21, 10, tzinfo=UTC)
    pin = PinBom("100045", "4", since)

    assert record(pin) != record(replace(pin, since=since + timedelta(seconds=1)))
    assert record(pin) == record(replace(pin, since=since.astimezone(timezone(timedelta(0)))))
