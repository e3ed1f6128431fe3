"""Where a device listens, as its URL says."""

from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import urlsplit


class Address(NamedTuple):
    """`tcp://host:502` in its parts."""

    scheme: str
    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"


def parse_address(url: str, ports: Mapping[str, int]) -> Address:
    """Return the parts of `url`; `ports` has the schemes it may use, and the port each stands for.

    ValueError (which pydantic collects) says what would be right.
    """
    example = " or ".join(f"{scheme}://host:{port}" for scheme, port in ports.items())
    parts = urlsplit(url)
    if parts.scheme not in ports or not parts.hostname:
        raise ValueError(f"{url!r} is no address for this kind of device; write {example}")
    if parts.username is not None or parts.password is not None:
        raise ValueError("user and password never stand in an address; write user: {name: …, password: {file: …}}")
    try:
        port = parts.port or ports[parts.scheme]
    except ValueError as error:
        raise ValueError(f"{url!r} has no valid port; write {example}") from error
    return Address(parts.scheme, parts.hostname, port)
