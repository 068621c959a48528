"""Statistics over closed positions and over equity; long and short are never mixed.

Every figure follows from what was booked; one that the data does not give is None. Money is in
quote currency and exact, ratios are rounded to four digits.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from itertools import compress
from operator import attrgetter

from engine.values import SetKey, Side, TradeMode

HOUR_MS, DAY_MS = 3_600_000, 86_400_000
WINDOWS = (8, 12, 20, 25, 50)
PNL_HOURS = (4, 12, 24, 48)
FACTOR_HOURS = 20
DRAWDOWN_RESULTS = 120
"""Drawdown time is that of so many last results."""
YEAR = Decimal(365)
_DIGITS = Decimal("0.0001")
_ZERO = Decimal(0)
_closed_at = attrgetter("closed_at_ms")


class GroupBy(StrEnum):
    """What statistics may be split by; each group tells its sides apart."""

    SYMBOL = "symbol"
    INDICATION = "indication"
    STRATEGY = "strategy"
    MODE = "mode"
    SET = "set"
    SIDE = "side"
    LEVEL = "level"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A closed position that had an entry: `net` is after fees and funding, `r` in cost units."""

    key: SetKey
    net: Decimal
    fees: Decimal
    r: Decimal | None
    opened_at_ms: int
    closed_at_ms: int

    @property
    def strategy(self) -> str:
        """What was done beside stop and target, such as `trailing+dca`; `plain` if nothing."""
        exits = self.key.exits
        used = {
            "trailing": exits.is_trailing,
            "dca": exits.ladder,
            "profit_back": exits.profit_back,
        }
        return "+".join(name for name, on in used.items() if on) or "plain"


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Figures of the last `results` of one side."""

    results: int
    net: Decimal
    win_rate: Decimal
    profit_factor: Decimal | None
    avg_r: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What closed positions of one side came to; rates in percent, times in milliseconds.

    `profit_factor` is gross wins over gross losses, None without a loss. `max_drawdown` is how far
    the summed results fell below their peak, `recovery_factor` the net result over it.
    `last` has a window only where there are as many results, `pnl_hours` only hours that the range
    reaches back to.
    """

    closed: int
    wins: int
    losses: int
    net: Decimal
    fees: Decimal
    win_rate: Decimal | None
    profit_factor: Decimal | None
    avg_win: Decimal | None
    avg_loss: Decimal | None
    expectancy: Decimal | None
    expectancy_r: Decimal | None
    best: Decimal | None
    worst: Decimal | None
    max_drawdown: Decimal
    recovery_factor: Decimal | None
    drawdown_time_ms: int
    max_consecutive_losses: int
    trades_per_day: Decimal | None
    avg_hold_ms: int | None
    last: Mapping[int, Window | None]
    profit_factor_20h: Decimal | None
    pnl_hours: Mapping[int, Decimal | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """The time that is looked at, both ends included, UTC epoch milliseconds."""

    from_ms: int
    to_ms: int

    def reaches_back(self, hours: int) -> bool:
        return self.from_ms <= self.to_ms - hours * HOUR_MS

    @property
    def days(self) -> Decimal:
        return Decimal(self.to_ms - self.from_ms) / DAY_MS


def figures(ended: Sequence[Ended], stretch: Stretch) -> Figures:
    """Figures of positions of one side, in the order they closed."""
    nets = [one.net for one in ended]
    fell = [net < _ZERO for net in nets]
    losses = [*compress(nets, fell)]
    wins = [net for net, is_loss in zip(nets, fell, strict=True) if net and not is_loss]
    rs = [one.r for one in ended if one.r is not None]
    won, lost = sum(wins, _ZERO), -sum(losses, _ZERO)
    net, fallen = won - lost, _max_drawdown(nets)
    return Figures(
        closed=len(nets),
        wins=len(wins),
        losses=len(losses),
        net=net,
        fees=sum([one.fees for one in ended], _ZERO),
        win_rate=_ratio(Decimal(100 * len(wins)), len(nets)),
        profit_factor=_ratio(won, lost),
        avg_win=_ratio(won, len(wins)),
        avg_loss=_ratio(-lost, len(losses)),
        expectancy=_ratio(net, len(nets)),
        expectancy_r=_mean(rs),
        best=max(wins or nets, default=None),
        worst=min(losses or nets, default=None),
        max_drawdown=fallen,
        recovery_factor=_ratio(net, fallen),
        drawdown_time_ms=drawdown_time_ms(ended[-DRAWDOWN_RESULTS:]),
        max_consecutive_losses=_longest_run(fell),
        trades_per_day=_ratio(Decimal(len(nets)), stretch.days),
        avg_hold_ms=_avg_hold_ms(ended),
        last=_windows(ended[-WINDOWS[-1] :]),
        profit_factor_20h=_factor_of_hours(ended, stretch),
        pnl_hours={hours: _pnl_of_hours(ended, stretch, hours) for hours in PNL_HOURS},
    )


def by_side(ended: Iterable[Ended], stretch: Stretch) -> dict[Side, Figures]:
    """The figures of each side, of results in any order."""
    ordered = sorted(ended, key=_closed_at)
    return {
        side: figures([one for one in ordered if one.key.side is side], stretch) for side in Side
    }


def grouped(ended: Iterable[Ended], by: GroupBy) -> dict[str, list[Ended]]:
    """Results by what they have in common, in the order of its name."""
    name_of = _NAMES[by]
    groups: dict[str, list[Ended]] = {}
    for one in ended:
        groups.setdefault(name_of(one), []).append(one)
    return dict(sorted(groups.items()))


def profit_factor(nets: Iterable[Decimal]) -> Decimal | None:
    """Gross wins over gross losses; None without a loss."""
    won = lost = _ZERO
    for net in nets:
        if net > 0:
            won += net
        else:
            lost -= net
    return _ratio(won, lost)


def drawdown_time_ms(ended: Sequence[Ended]) -> int:
    """The longest time that summed results stayed below their peak, an open one included.

    It begins with the close that leaves the peak, which is 0 at least, and ends with the one that
    regains it.
    """
    total = peak = _ZERO
    longest, began_ms = 0, 0
    for one in ended:
        total += one.net if one.r is None else one.r
        if began_ms:
            longest = max(longest, one.closed_at_ms - began_ms)
        if total >= peak:
            peak, began_ms = total, 0
        elif not began_ms:
            began_ms = one.closed_at_ms
    return longest


def _max_drawdown(nets: Iterable[Decimal]) -> Decimal:
    """How far the sum fell below its peak, which is 0 at least."""
    total = peak = deepest = _ZERO
    for net in nets:
        total += net
        if net > _ZERO:
            if total > peak:
                peak = total
        elif peak - total > deepest:
            deepest = peak - total
    return deepest


def _longest_run(fell: Iterable[bool]) -> int:
    """Losses one after the other, at most."""
    return max(map(len, bytes(fell).split(b"\0")))


def _avg_hold_ms(ended: Sequence[Ended]) -> int | None:
    held = [one.closed_at_ms - one.opened_at_ms for one in ended if one.opened_at_ms]
    return round(sum(held) / len(held)) if held else None


def _windows(last: Sequence[Ended]) -> dict[int, Window | None]:
    """The figures of each window, of which the largest holds `last`; sums run from its end."""
    made: dict[int, Window | None] = dict.fromkeys(WINDOWS)
    won = lost = in_r = _ZERO
    wins = with_r = 0
    for count, one in enumerate(reversed(last), start=1):
        if one.net > _ZERO:
            wins, won = wins + 1, won + one.net
        else:
            lost -= one.net
        if one.r is not None:
            with_r, in_r = with_r + 1, in_r + one.r
        if count in made:
            made[count] = Window(
                results=count,
                net=won - lost,
                win_rate=(Decimal(100 * wins) / count).quantize(_DIGITS),
                profit_factor=_ratio(won, lost),
                avg_r=_ratio(in_r, with_r),
            )
    return made


def _factor_of_hours(ended: Sequence[Ended], stretch: Stretch) -> Decimal | None:
    if not stretch.reaches_back(FACTOR_HOURS):
        return None
    return profit_factor(one.net for one in _since(ended, stretch, FACTOR_HOURS))


def _pnl_of_hours(ended: Sequence[Ended], stretch: Stretch, hours: int) -> Decimal | None:
    if not stretch.reaches_back(hours):
        return None
    return sum([one.net for one in _since(ended, stretch, hours)], _ZERO)


def _since(ended: Sequence[Ended], stretch: Stretch, hours: int) -> Sequence[Ended]:
    """What closed in the last hours of the stretch."""
    since_ms = stretch.to_ms - hours * HOUR_MS
    return ended[bisect_right(ended, since_ms, key=_closed_at) :]


def _mean(values: Sequence[Decimal]) -> Decimal | None:
    return (sum(values, _ZERO) / len(values)).quantize(_DIGITS) if values else None


def _ratio(part: Decimal, whole: Decimal | int) -> Decimal | None:
    return (part / whole).quantize(_DIGITS) if whole else None


_NAMES: Mapping[GroupBy, Callable[[Ended], str]] = {
    GroupBy.SYMBOL: lambda one: one.key.symbol,
    GroupBy.INDICATION: lambda one: one.key.indication.value,
    GroupBy.STRATEGY: lambda one: one.strategy,
    GroupBy.MODE: lambda one: _mode_of(one).value,
    GroupBy.SET: lambda one: one.key.text,
    GroupBy.SIDE: lambda one: one.key.side.value,
    GroupBy.LEVEL: lambda one: "exchange",  # paper levels keep results in their Sets' books
}


def _mode_of(one: Ended) -> TradeMode:
    return one.key.indication.mode
