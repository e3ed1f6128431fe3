"""What the journal says of who gave a command."""

from typing import Any

from gateway.domain.clock import rfc3339
from gateway.domain.signature import Author


def signed(author: Author) -> dict[str, Any]:
    """Return the person and the signature (None where there is none) as members of a journal entry."""
    signature = author.signature
    if signature is None:
        return {"person": author.person, "signature": None}
    return {
        "person": author.person,
        "signature": {**signature._asdict(), "signed_at": rfc3339(signature.signed_at)},
    }
