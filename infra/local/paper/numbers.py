"""Numbers as clients of a venue send them."""

from decimal import Decimal, InvalidOperation


def finite(text: str) -> Decimal:
    """A finite decimal number; ValueError if the text is none."""
    try:
        value = Decimal(text)
    except InvalidOperation:
        raise ValueError(f"{text!r} is no number") from None
    if not value.is_finite():
        raise ValueError(f"{text!r} is not finite")
    return value
