"""Small integer arithmetic of windows."""

from decimal import ROUND_HALF_EVEN, Decimal


def hundredths(pct: Decimal) -> int:
    """A percentage in hundredths of a percent: a ratio in ten-thousandths."""
    return int((pct * 100).to_integral_value(ROUND_HALF_EVEN))
