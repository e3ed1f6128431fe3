from hashlib import sha256

import orjson
import pytest

from gateway.errors import DataError
from gateway.formats.chain import genesis, link, seal, unseal

CORE = orjson.dumps({"kind": "posting", "seq": 1})
FIRST = genesis("PLANT1-L1", "01JXK3")


def test_a_stores_first_entry_follows_a_hash_of_its_names():
    assert sha256(b"backflush PLANT1-L1/01JXK3").digest() == FIRST


def test_the_seal_is_the_last_two_members_of_the_body():
    body, sealed = seal(CORE, FIRST)

    assert {
        "kind": "posting",
        "seq": 1,
        "previous_hash": f"sha256:{FIRST.hex()}",
        "hash": f"sha256:{sealed.hex()}",
    } == orjson.loads(body)


def test_the_hash_covers_the_entry_before_and_the_content():
    _, sealed = seal(CORE, FIRST)

    assert sha256(FIRST + CORE).digest() == sealed == link(CORE, FIRST)


def test_unsealing_gives_back_what_was_sealed():
    body, sealed = seal(CORE, FIRST)

    assert (CORE, FIRST, sealed) == unseal(body)


@pytest.mark.parametrize("body", [b"", CORE, seal(CORE, FIRST)[0] + b" ", seal(CORE, FIRST)[0].upper()])
def test_a_body_without_its_seal_is_refused(body):
    with pytest.raises(DataError, match="no previous_hash and hash"):
        unseal(body)
