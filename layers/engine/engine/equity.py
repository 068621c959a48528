"""What an account's equity says of it over time: drawdown, Sharpe, Sortino, daily results."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from engine.analytics import DAY_MS, YEAR, Ended
from engine.records import EquitySample
from engine.values import Side

_DIGITS = Decimal("0.0001")
_ZERO = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class EquityFigures:
    """Figures of equity samples; money put in or taken out counts as won or lost.

    `daily_returns` are changes between the last samples of two days in a row, in percent;
    Sharpe and Sortino are a year's, None with fewer than two returns or without any spread.
    """

    samples: int
    first: Decimal | None
    last: Decimal | None
    peak: Decimal | None
    max_drawdown_pct: Decimal | None
    drawdown_time_ms: int
    daily_returns: int
    sharpe: Decimal | None
    sortino: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """Realised results of one UTC day by side, and all of them up to its end."""

    day_ms: int
    long_net: Decimal
    short_net: Decimal
    net: Decimal
    cumulative: Decimal
    closed: int


def equity_figures(samples: Sequence[EquitySample]) -> EquityFigures:
    """Figures of samples in the order of their time."""
    values = [one.equity for one in samples]
    returns = daily_returns(samples)
    deepest, longest_ms = _fall(samples)
    return EquityFigures(
        samples=len(values),
        first=values[0] if values else None,
        last=values[-1] if values else None,
        peak=max(values, default=None),
        max_drawdown_pct=deepest if values else None,
        drawdown_time_ms=longest_ms,
        daily_returns=len(returns),
        sharpe=_yearly(returns, _deviation(returns)),
        sortino=_yearly(returns, _downside(returns)),
    )


def daily_returns(samples: Iterable[EquitySample]) -> list[Decimal]:
    """Changes of equity between the last samples of two UTC days in a row, as ratios."""
    last = {one.at_ms // DAY_MS: one.equity for one in samples}
    return [
        equity / last[day - 1] - 1
        for day, equity in sorted(last.items())
        if last.get(day - 1, _ZERO) > 0
    ]


def days(ended: Iterable[Ended]) -> list[Day]:
    """Every UTC day with a close, oldest first."""
    sums: dict[int, list[tuple[Side, Decimal]]] = {}
    for one in ended:
        day_ms = one.closed_at_ms - one.closed_at_ms % DAY_MS
        sums.setdefault(day_ms, []).append((one.key.side, one.net))
    made, total = [], _ZERO
    for day_ms, results in sorted(sums.items()):
        net = {side: sum((n for s, n in results if s is side), _ZERO) for side in Side}
        of_day = net[Side.LONG] + net[Side.SHORT]
        total += of_day
        made.append(
            Day(
                day_ms=day_ms,
                long_net=net[Side.LONG],
                short_net=net[Side.SHORT],
                net=of_day,
                cumulative=total,
                closed=len(results),
            )
        )
    return made


def _fall(samples: Sequence[EquitySample]) -> tuple[Decimal, int]:
    """The deepest fall below the peak in percent of it, and the longest time below it."""
    peak = deepest = _ZERO
    longest_ms = began_ms = 0
    for one in samples:
        if began_ms:
            longest_ms = max(longest_ms, one.at_ms - began_ms)
        if one.equity >= peak:
            peak, began_ms = one.equity, 0
            continue
        deepest = max(deepest, 100 * (peak - one.equity) / peak)
        began_ms = began_ms or one.at_ms
    return deepest.quantize(_DIGITS), longest_ms


def _yearly(returns: Sequence[Decimal], spread: Decimal) -> Decimal | None:
    if len(returns) < 2 or not spread:
        return None
    mean = sum(returns, _ZERO) / len(returns)
    return (mean / spread * YEAR.sqrt()).quantize(_DIGITS)


def _deviation(returns: Sequence[Decimal]) -> Decimal:
    """The standard deviation of a sample."""
    if len(returns) < 2:
        return _ZERO
    mean = sum(returns, _ZERO) / len(returns)
    return (sum(((one - mean) ** 2 for one in returns), _ZERO) / (len(returns) - 1)).sqrt()


def _downside(returns: Sequence[Decimal]) -> Decimal:
    """The root of the mean square of what is below zero."""
    if not returns:
        return _ZERO
    squares = sum((min(one, _ZERO) ** 2 for one in returns), _ZERO)
    return (squares / len(returns)).sqrt()
