"""Passwords as argon2id hashes; slow on purpose, so never on the event loop."""

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

_HASHER = PasswordHasher()
# Of a password nobody has: an unknown user costs the same work as a known one, so the time taken tells nothing.
_NOBODYS = "$argon2id$v=19$m=65536,t=3,p=4$IrnSfyqg8f4rcKJi7svPKg$XUF/kR7zY8O5YFKaGP3tVVN4iiEg/U+kpr8WKzREOl8"


def hashed(password: str) -> str:
    """Return the hash that stands in the users file."""
    return _HASHER.hash(password)


def matches(known: str | None, password: str) -> bool:
    """Tell whether the password belongs to the hash; None is the hash of an unknown user, and never matches."""
    try:
        return _HASHER.verify(known or _NOBODYS, password) and known is not None
    except (VerificationError, InvalidHashError):
        return False
