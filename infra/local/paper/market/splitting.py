"""Trades inside one second: a handful that aggregate exactly to its candle."""

from local.paper.market.candles import Trade
from local.paper.market.noise import whole

TRADES_A_SECOND = 5
IDS_A_SECOND = 4096


def split(
    key: int, second: int, ohlc: tuple[int, int, int, int], volume_steps: int
) -> tuple[Trade, ...]:
    """Trades of a candle: first is open, last is close, high and low are touched.

    ``ohlc`` in ticks. A volume of zero means no trade; a volume below five steps is one or more
    trades with what is there, so the instrument's candles carry either zero or at least five steps.
    """
    if volume_steps <= 0:
        return ()
    base = second * 16
    prices = _prices(ohlc, whole(key, base, 1 << 30))
    quantities = _quantities(key, base, volume_steps)
    trades, before = [], ohlc[0]
    buyer_is_maker = whole(key, base + 7, 2) == 1
    for place, (price, quantity) in enumerate(zip(prices, quantities, strict=True)):
        if price != before:
            buyer_is_maker = price < before
        ts_ms = second * 1000 + place * 200 + whole(key, base + 8 + place, 190)
        trades.append(Trade(second * IDS_A_SECOND + place, ts_ms, price, quantity, buyer_is_maker))
        before = price
    return tuple(trades)


def _prices(ohlc: tuple[int, int, int, int], draw: int) -> tuple[int, ...]:
    opening, high, low, close = ohlc
    inside = low + draw % (high - low + 1)
    if close >= opening:
        return (opening, low, inside, high, close)
    return (opening, high, inside, low, close)


def _quantities(key: int, base: int, volume_steps: int) -> tuple[int, ...]:
    """Five positive quantities that sum to the volume."""
    weights = [1 + whole(key, base + 1 + place, 9) for place in range(TRADES_A_SECOND)]
    free = max(volume_steps - TRADES_A_SECOND, 0)
    parts = [1 + free * weight // sum(weights) for weight in weights]
    parts[-1] += volume_steps - sum(parts)
    return tuple(parts)
