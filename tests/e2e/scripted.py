"""A scripted market: prices that walk where a test wants them."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path


def write_tape(path: Path, paths: Mapping[str, Sequence[Decimal]]) -> None:
    """One candle a second and symbol; each opens where the one before closed."""
    lines = ["symbol,ts_ms,open,high,low,close,volume"]
    for symbol, prices in paths.items():
        before = prices[0]
        for second, price in enumerate(prices):
            high, low = max(before, price), min(before, price)
            lines.append(f"{symbol},{second * 1000},{before},{high},{low},{price},100")
            before = price
    path.write_text("\n".join(lines) + "\n")


def leg(start: Decimal, *moves: tuple[int, str]) -> list[Decimal]:
    """Prices a second that walk `(seconds, percent of start)` legs one after the other."""
    prices, at = [start], Decimal(0)
    for seconds, percent in moves:
        for step in range(1, seconds + 1):
            change = at + (Decimal(percent) - at) * step / seconds
            prices.append((start * (1 + change / 100)).quantize(start))
        at = Decimal(percent)
    return prices
