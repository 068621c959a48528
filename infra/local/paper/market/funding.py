"""Funding rates: one per symbol and eight hours, a pure function of (seed, symbol, time)."""

from decimal import Decimal

from local.paper.market.noise import key_of, whole

FUNDING_MS = 8 * 3_600_000
"""Longs and shorts settle at 00:00, 08:00 and 16:00 UTC."""
CAP = Decimal("0.0003")
_STEPS = 30_000  # of one hundredth of a millionth, each way


def next_funding_ms(now_ms: int) -> int:
    """The next settlement strictly after a moment."""
    return (now_ms // FUNDING_MS + 1) * FUNDING_MS


def funding_rate(seed: int, symbol: str, at_ms: int) -> Decimal:
    """The rate settled at a moment of the grid, within ±0.03 %; above zero longs pay shorts."""
    drawn = whole(key_of(seed, symbol, "funding"), at_ms // FUNDING_MS, 2 * _STEPS + 1)
    return Decimal(drawn - _STEPS).scaleb(-8)
