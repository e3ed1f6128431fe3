"""A message that was read but couldn't be done, as the bytes of its dead letter, and back."""

from dataclasses import asdict, fields
from datetime import datetime

import orjson
from pydantic import TypeAdapter

from gateway.errors import DataError
from gateway.pipeline.image import Context
from gateway.signals.sample import Message, Sample

_MESSAGE = TypeAdapter(Message)
_MEMBERS = frozenset(one.name for one in fields(Message))
_TIME, _ORDER = "source_time", "order_shown"  # what isn't the message's own: the device's time, and its order then


def written(sample: Sample, context: Context) -> bytes:
    """Return what the sample says, with what the device said beside it; only for samples with a Message."""
    if not isinstance(sample.value, Message):
        raise TypeError(sample.value)
    said = asdict(sample.value)
    return orjson.dumps({**said, _TIME: sample.source_time, _ORDER: context.order}, default=str)


def read(signal: str, payload: bytes) -> tuple[Sample, Context]:
    """Return the message that `written` wrote, now or in an earlier version; DataError where it didn't.

    Only for letters that the store calls put aside: what a device sent may look the same.
    """
    try:
        said = orjson.loads(payload)
        message = _MESSAGE.validate_python({name: said[name] for name in _MEMBERS & said.keys()})
        at = said.get(_TIME)
        sample = Sample(signal, message, source_time=datetime.fromisoformat(at) if at else None)
    except (ValueError, TypeError, AttributeError) as error:
        raise DataError(f"what was put aside of {signal} can't be read: {error}") from error
    return sample, Context(order=said.get(_ORDER))
