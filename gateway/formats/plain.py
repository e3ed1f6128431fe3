"""Strangers' words as a terminal or a log may have them: what would move a cursor or begin a line is written out."""


def escaped(text: str, keep: str = "") -> str:
    """Return the text with its control characters written as in source code; those of `keep` stay as they are."""
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() or one in keep else _written_out(one) for one in text)


def _written_out(one: str) -> str:
    return one.encode("unicode_escape").decode("ascii")
