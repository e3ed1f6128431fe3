"""The Serial Shipping Container Code on a case or pallet (GS1, AI 00): 18 digits, the last one checks the others."""

from biip import ParseError
from biip.sscc import Sscc

from gateway.errors import DataError

_SYMBOLOGY = "]C1"  # what many scanners send before a GS1-128 code
_DIGITS = 18


def read_sscc(code: str) -> str:
    """Return the 18 digits of an SSCC as scanned: bare, or with its application identifier; DataError for a wrong one.

    A wrong number in genealogy would answer for another case, so there is none rather than that.
    """
    digits = code.strip().removeprefix(_SYMBOLOGY).removeprefix("(00)")
    if len(digits) == _DIGITS + 2:
        digits = digits.removeprefix("00")
    if not digits.isascii():
        raise DataError(f"{code!r} is no SSCC: it has other signs than digits")
    try:
        return Sscc.parse(digits).value
    except ParseError as error:
        raise DataError(f"{code!r} is no SSCC: {str(error).rstrip('.')}") from error
