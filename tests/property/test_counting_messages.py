"""Messages that get lost, come twice and out of order: what is counted and what is missing is what was sent."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.counting.messages import Arrival, message_key, receive, restart
from gateway.signals.sample import Message

START = datetime(2026, 11, 21, 10, tzinfo=UTC)
ZERO = Decimal(0)


class Books:
    """What the pipeline makes of receipts: booked units, missing units, and the store's keys."""

    def __init__(self):
        self.watermark = None
        self.keys = set()
        self.booked = self.missing = ZERO

    def take(self, message, source_time):
        receipt = receive(self.watermark, message, source_time)
        key = message_key(message, source_time)
        if receipt.verdict is Arrival.REPEATED:
            if key in self.keys:
                return
            receipt = restart(self.watermark, message, source_time)
        assert key not in self.keys
        self.keys.add(key)
        self.watermark = receipt.watermark
        self.booked += message.quantity
        self.missing += receipt.missed.quantity if receipt.missed else ZERO
        self.missing -= receipt.filled.quantity if receipt.filled else ZERO


@st.composite
def sent_messages(draw):
    """Return what a device sent: (message, its time), with ids or without, with totals or one unit a message."""
    with_total, with_id = draw(st.booleans()), draw(st.booleans())
    sent, total = [], ZERO
    for number in range(1, draw(st.integers(2, 30)) + 1):
        quantity = Decimal(draw(st.integers(1, 9999))).scaleb(-3) if with_total else Decimal(1)
        total += quantity
        message = Message(
            id=f"PACKER-1-1-{number}" if with_id else None,
            sequence=number,
            total=total if with_total else None,
            quantity=quantity,
        )
        sent.append((message, START + timedelta(seconds=number)))
    return sent


def lost_doubled_and_shuffled(draw, sent):
    """Return what arrives of it: the first message first, the last one at some time, the others as luck has it."""
    copies = [draw(st.integers(0, 2)) for _ in sent[1:-1]]
    between = [one for one, count in zip(sent[1:-1], copies, strict=True) for _ in range(count)]
    return [sent[0], *draw(st.permutations([*between, sent[-1], sent[0]]))]


@settings(max_examples=150, deadline=None)
@given(st.data(), sent_messages())
def test_counted_and_missing_are_what_was_sent(data, sent):
    arriving = lost_doubled_and_shuffled(data.draw, sent)
    books = Books()
    for message, source_time in arriving:
        books.take(message, source_time)

    assert books.booked == sum((one.quantity for one, _ in set(arriving)), ZERO)
    assert books.booked + books.missing == sum((one.quantity for one, _ in sent), ZERO)


@settings(max_examples=100, deadline=None)
@given(st.data(), sent_messages(), st.integers(0, 5))
def test_a_device_that_numbers_anew_is_counted_on(data, sent, lost):
    books = Books()
    for message, source_time in lost_doubled_and_shuffled(data.draw, sent):
        books.take(message, source_time)
    missing_before, life = books.missing, sent[lost : len(sent) - 1]  # numbers the first life used, too
    for message, source_time in life:
        anew = replace(message, id=message.id and f"{message.id}-anew")
        books.take(anew, source_time + timedelta(days=1))

    known_loss = sum((one.quantity for one, _ in sent[:lost]), ZERO) if life and sent[0][0].total else ZERO
    assert books.missing == missing_before + known_loss
