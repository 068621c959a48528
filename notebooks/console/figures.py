"""Numbers as an operator reads them; what is not known is a dash, never a zero."""

from collections.abc import Iterable
from decimal import Decimal

UNKNOWN = "\u2013"  # en dash
_MINUS = "\u2212"
_GROUP = "\u202f"  # narrow space that never breaks
_MOST_PLACES = 8


def places(values: Iterable[Decimal | None]) -> int:
    """Digits after the point that the longest of them came with."""
    exponents = (value.as_tuple().exponent for value in values if value is not None)
    return max((-e for e in exponents if isinstance(e, int) and e < 0), default=0)


def price(value: Decimal | None, least_places: int = 0) -> str:
    """A price or quantity with the digits it came with, at most eight after the point."""
    if value is None:
        return UNKNOWN
    shown = min(_MOST_PLACES, max(least_places, places([value])))
    return f"{value:,.{shown}f}".replace(",", _GROUP).replace("-", _MINUS)


def signed(value: Decimal | None, places: int = 2) -> str:
    """Money gained or lost, its sign always written."""
    if value is None:
        return UNKNOWN
    rounded = round(value, places)
    if rounded == 0:
        return f"{0:.{places}f}"
    sign = "+" if rounded > 0 else _MINUS
    return f"{sign}{abs(rounded):,.{places}f}".replace(",", _GROUP)


def age(ms: int | None) -> str:
    """How long ago, in the two units that matter."""
    if ms is None:
        return UNKNOWN
    seconds = max(0, ms) / 1000
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = int(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    if whole < 86_400:
        return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
    return f"{whole // 86_400} d {whole % 86_400 // 3600:02d} h"


def clock(ms: int) -> str:
    """The time of day in UTC, to the second."""
    seconds = ms // 1000 % 86_400
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"


def count(value: int | None) -> str:
    """A count with its thousands set apart."""
    return UNKNOWN if value is None else f"{value:,}".replace(",", _GROUP)


def milliseconds(value: Decimal | None) -> str:
    """A duration of a tick."""
    return UNKNOWN if value is None else f"{value:.1f} ms"


def words(name: str) -> str:
    """An identifier in plain words: `loading_history` is loading history."""
    return name.replace("_", " ")
