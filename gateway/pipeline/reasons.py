"""Reason codes: why something was reversed, returned, counted or closed, in the words of the configuration."""

from gateway.domain.masterdata import MasterData
from gateway.domain.posting import Reason
from gateway.errors import CommandRefused


def reason_of(master: MasterData, said: str) -> Reason:
    """Return the reason of `CODE` or `CODE: what the person adds`; CommandRefused where the code is unknown."""
    code, _, added = (part.strip() for part in said.partition(":"))
    text = master.reasons.get(code)
    if text is None:
        known = ", ".join(sorted(master.reasons)) or "none is configured"
        raise CommandRefused(f"unknown reason code {code!r}", f"known are: {known}")
    return Reason(code, f"{text}: {added}" if added else text)
