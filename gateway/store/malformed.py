"""What a row holds that nobody wrote there: the errors that reading it raises, in words."""

MALFORMED = (LookupError, TypeError, ValueError, ArithmeticError, AttributeError)  # what converting a row may raise


def in_words(error: Exception) -> str:
    """Return what is wrong with a row, as the end of a sentence; the error's own text is the interpreter's."""
    if isinstance(error, KeyError):
        return f"{error} is missing"
    return "a value is not what belongs there"
