"""Printed prices and quantities as whole ticks and steps, quickly and exactly.

A stream prints thousands of numbers a second, and Decimal's division costs a microsecond each.
What is printed with no more digits than the tick has is read as one integer; the rest goes the
long way, with the same result.
"""

from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation

_KEPT = 4_096


class Unit:
    """Reads numbers as multiples of one unit, a tick or a step, rounded to the nearest."""

    __slots__ = ("_known", "_places", "_unit", "_units")

    def __init__(self, unit: Decimal) -> None:
        exponent = unit.normalize().as_tuple().exponent
        self._unit = unit
        self._places = max(0, -int(exponent))
        self._units = int(unit.scaleb(self._places))  # the unit in its own last place
        self._known: dict[str, int | None] = {}

    def read(self, printed: str) -> int | None:
        """How many units it is, or None if it is no finite number of zero or more."""
        known = self._known.get(printed, -1)
        if known != -1:
            return known
        count = self._whole(printed)
        if len(self._known) >= _KEPT:
            self._known.clear()
        self._known[printed] = count
        return count

    def _whole(self, printed: str) -> int | None:
        before, _, after = printed.partition(".")
        missing = self._places - len(after)
        digits = before + after
        if missing >= 0 and digits.isascii() and digits.isdigit():
            count, rest = divmod(int(digits + "0" * missing), self._units)
            if not rest:
                return count
        return self._slowly(printed)

    def _slowly(self, printed: str) -> int | None:
        try:
            number = Decimal(printed)
        except InvalidOperation:
            return None
        if not number.is_finite() or number < 0:
            return None
        return int((number / self._unit).to_integral_value(ROUND_HALF_EVEN))
