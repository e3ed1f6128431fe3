"""The example configuration with mistakes: structural ones, as people and generators make them, and damaged bytes."""

import copy
import random
from collections.abc import Iterator
from typing import Any

Node = dict[str, Any] | list[Any]
Place = tuple[Node, Any]  # a container, and a key or index in it

VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 10**30, -(10**30), 2**63, 2**64, 65536, 1_000_001, 0.1),
    *("", " ", "\x00", "\ud800", "🍾", "no", "yes", "0010", "1e400", "NaN", ".inf", "9" * 40, "9" * 5000, "x" * 10_000),
    *([], {}, [[]], [None], {"": None}, [0, [1, 2], 0], {"file": "/nonexistent"}, {"env": "NOBODY_SET_THIS"}),
    *("20/s", "0/s", "-1/s", "1/0s", "5ms", "-5ms", "1e9h", "99999999999d", "0s", "12:00", "1 week", "50%", "1e-400"),
    *("kg", "g", "l", "furlong", "EA", "tray", "m", "%", "each", "KG"),
    *("2026-01-01T00:00:00Z", "0000-00-00T00:00:00Z", "9999-12-31T23:59:59-23:59", "2026-02-30", "yesterday"),
    *(
        "FILLER-1.good",
        "NOBODY-1.nothing",
        "FILLER-1",
        "FILLER-1.",
        ".",
        "$.x",
        "$..x",
        "$[",
        "$",
        "../../etc/passwd",
        "/",
    ),
    *(
        "mqtt://",
        "mqtt://:1",
        "mqtt://h:99999",
        "http://[::1",
        "opc.tcp://",
        "tcp://h:0",
        "ns=2;s=",
        "ns=99999999999;i=1",
    ),
)


def places(node: Any) -> Iterator[Place]:
    """Yield every place in a document where a value stands."""
    entries = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in list(entries):
        yield node, key
        yield from places(value)


def mutate(folder: dict[str, Any], chance: random.Random) -> None:
    """Make one mistake in one of the documents."""
    spots = list(places(folder))
    node, key = chance.choice([spot for spot in spots if spot[0] is not folder])
    chance.choice((_replace, _replace, _delete, _double, _rename, _borrow, _wrap))(node, key, chance, spots)


def _replace(node: Node, key: Any, chance: random.Random, _: list[Place]) -> None:
    node[key] = copy.deepcopy(chance.choice(VALUES))


def _borrow(node: Node, key: Any, chance: random.Random, spots: list[Place]) -> None:
    """Put there what stands elsewhere: another unit, another item, a BOM inside itself."""
    same = [(other, name) for other, name in spots if name == key] if chance.random() < 0.7 else spots
    other, name = chance.choice(same)
    node[key] = copy.deepcopy(other[name])


def _delete(node: Node, key: Any, _: random.Random, __: list[Place]) -> None:
    del node[key]


def _double(node: Node, key: Any, _: random.Random, __: list[Place]) -> None:
    if isinstance(node, list):
        node.insert(key, copy.deepcopy(node[key]))
    else:
        node[f"{key}_2"] = copy.deepcopy(node[key])


def _rename(node: Node, key: Any, chance: random.Random, _: list[Place]) -> None:
    if isinstance(node, dict):
        node[chance.choice(("", f"{key}s", key.upper(), "<<", "*", "{item}", "\ud800", "from"))] = node.pop(key)


def _wrap(node: Node, key: Any, chance: random.Random, _: list[Place]) -> None:
    value = node[key]
    node[key] = chance.choice(([value], {"value": value}, str(value), [value] * 3))


_PIECES = (
    *(
        b"",
        b"\x00",
        b"\xff",
        b"\xef\xbb\xbf",
        b"\r",
        b"\t",
        b"\n",
        b"\n---\n",
        b"\n...\n",
        b"&a ",
        b"*a",
        b"!!python/object:os.system ",
    ),
    *(
        b"<<: *a",
        b"- ",
        b": ",
        b"? ",
        b"[",
        b"]",
        b"{",
        b"}",
        b"|",
        b">",
        b"%YAML 9.9\n",
        b"%TAG ! x\n",
        b"'",
        b'"',
        b"#",
        b"@",
        b"`",
    ),
    *(
        b"[" * 5000,
        b"{a: " * 5000,
        b"- " * 5000,
        b"\xed\xa0\x80",
        b"\xc2\x85",
        b"\xe2\x80\xa8",
        b"\x1b[2J",
        b"\xf4\x90\x80\x80",
    ),
)


def damage(content: bytes, chance: random.Random) -> bytes:
    """Return the file with up to four places overwritten, or its end missing."""
    changed = bytearray(content)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(changed) + 1)
        piece = chance.choice(_PIECES) if chance.random() < 0.7 else chance.randbytes(chance.randrange(4))
        changed[at : at + chance.choice((0, 0, 1, 5, 200))] = piece
    return bytes(changed[: chance.randrange(len(changed) + 1)]) if chance.random() < 0.1 else bytes(changed)
