"""A message that was read but couldn't be done, as the bytes of its dead letter, and back."""

from collections.abc import Mapping
from dataclasses import asdict, fields
from datetime import datetime
from typing import Any

import orjson
from pydantic import TypeAdapter

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


def read(signal: str, payload: bytes) -> tuple[Sample, Context] | None:
    """Return the message that was put aside, None where the bytes are none: they came from the device as they are."""
    try:
        said: Any = orjson.loads(payload)
        if not (isinstance(said, Mapping) and said.keys() >= _MEMBERS):
            return None
        message = _MESSAGE.validate_python({name: said[name] for name in _MEMBERS})
        at = said.get(_TIME)
        sample = Sample(signal, message, source_time=datetime.fromisoformat(at) if at else None)
    except (ValueError, TypeError):
        return None
    return sample, Context(order=said.get(_ORDER))
