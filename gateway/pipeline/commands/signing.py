"""What the journal says of who gave a command, and whether that is still what was signed."""

from typing import Any

from gateway.domain.clock import rfc3339
from gateway.domain.signature import Author
from gateway.errors import CommandRefused


def signed(author: Author) -> dict[str, Any]:
    """Return the person and the signature (None where there is none) as members of a journal entry."""
    signature = author.signature
    if signature is None:
        return {"person": author.person, "signature": None}
    return {
        "person": author.person,
        "signature": {**signature._asdict(), "signed_at": rfc3339(signature.signed_at)},
    }


def refuse_if_changed(seen: str, now: str, what: str) -> None:
    """Refuse what was signed for content that has changed since; nobody may have `seen` it, then nothing has."""
    if seen and seen != now:
        raise CommandRefused(f"{what} has changed since it was signed for", "look at it again, then sign")
