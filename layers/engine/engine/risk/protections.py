"""Protections: rests that closed positions cause, as functions of their times and results.

Each looks at every closing as the end of a window: if what it counts was too much there, the rest
lasts from that closing on, whatever the later ones brought. Results come ordered by time.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from engine.risk.refusal import Refusal
from engine.risk_record import Result
from engine.settings import Settings
from engine.values import CloseReason, Side

MINUTE_MS = 60_000
_STOPS = frozenset({CloseReason.STOP_LOSS, CloseReason.TRAILING_STOP, CloseReason.LIQUIDATED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A position that would open now, and the equity its account's day began with."""

    symbol: str
    side: Side
    equity: Decimal
    now_ms: int


Protection = Callable[[Sequence[Result], Candidate, Settings], Refusal | None]


def protection_refusal(
    results: Sequence[Result], candidate: Candidate, settings: Settings
) -> Refusal | None:
    """The first protection under which the candidate rests, with the time left."""
    for protection in PROTECTIONS:
        refusal = protection(results, candidate, settings)
        if refusal is not None:
            return refusal
    return None


def stop_loss_guard(
    results: Sequence[Result], candidate: Candidate, settings: Settings
) -> Refusal | None:
    """Many losing stops in a window rest their symbol and side, or everything."""
    count = settings.stop_guard_count
    window_ms, pause_ms = _times(settings.stop_guard_window_min, settings.stop_guard_pause_min)
    is_all = settings.stop_guard_scope == "all"
    stops = [
        one
        for one in results
        if one.reason in _STOPS
        and one.net < 0
        and (is_all or (one.symbol, one.side) == (candidate.symbol, candidate.side))
    ]
    for window in _windows(stops, window_ms, candidate.now_ms - pause_ms):
        if 0 < count <= len(window):
            numbers = {"stop_losses": Decimal(len(window)), "limit": Decimal(count)}
            return _resting("stop_loss_guard", numbers, window, pause_ms, candidate)
    return None


def drawdown_guard(
    results: Sequence[Result], candidate: Candidate, settings: Settings
) -> Refusal | None:
    """Results of a window that fell far from their peak, in percent of the equity, rest all.

    No window falls deeper than all of them together, which is looked at first.
    """
    limit = settings.loss_guard_pct
    window_ms, pause_ms = _times(settings.loss_guard_window_min, settings.loss_guard_pause_min)
    if limit == 0 or candidate.equity <= 0:
        return None
    after_ms = candidate.now_ms - pause_ms - window_ms
    together = [one for one in results if one.closed_at_ms > after_ms]
    if _drawdown(together) * 100 / candidate.equity < limit:
        return None
    for window in _windows(results, window_ms, candidate.now_ms - pause_ms):
        if len(window) < settings.loss_guard_count:
            continue
        fallen_pct = _drawdown(window) * 100 / candidate.equity
        if fallen_pct >= limit:
            numbers = {"drawdown_pct": fallen_pct, "limit_pct": limit}
            return _resting("drawdown_guard", numbers, window, pause_ms, candidate)
    return None


def low_profit_lock(
    results: Sequence[Result], candidate: Candidate, settings: Settings
) -> Refusal | None:
    """A symbol whose last results in the window average too little rests, both sides."""
    count, limit = settings.low_profit_count, settings.low_profit_pct
    window_ms, pause_ms = _times(settings.low_profit_window_min, settings.low_profit_pause_min)
    own = [one for one in results if one.symbol == candidate.symbol]
    for window in _windows(own, window_ms, candidate.now_ms - pause_ms):
        if not 0 < count <= len(window):
            continue
        average = sum((one.net_pct for one in window[-count:]), Decimal(0)) / count
        if average < limit:
            numbers = {"average_pct": average, "limit_pct": limit, "results": Decimal(count)}
            return _resting("low_profit_lock", numbers, window, pause_ms, candidate)
    return None


PROTECTIONS: tuple[Protection, ...] = (stop_loss_guard, drawdown_guard, low_profit_lock)


def _windows(
    results: Sequence[Result], window_ms: int, after_ms: int
) -> Iterator[Sequence[Result]]:
    """The results of the window that ends with each closing after `after_ms`, latest first."""
    start = len(results)
    for end in range(len(results), 0, -1):
        last_ms = results[end - 1].closed_at_ms
        if last_ms <= after_ms:
            return
        while start > 0 and results[start - 1].closed_at_ms >= last_ms - window_ms:
            start -= 1
        yield results[start:end]


def _drawdown(window: Sequence[Result]) -> Decimal:
    """The deepest fall of the summed net results below their peak (at first zero)."""
    total = peak = deepest = Decimal(0)
    for one in window:
        total += one.net
        peak = max(peak, total)
        deepest = max(deepest, peak - total)
    return deepest


def _resting(
    code: str,
    numbers: dict[str, Decimal],
    window: Sequence[Result],
    pause_ms: int,
    candidate: Candidate,
) -> Refusal:
    left_ms = window[-1].closed_at_ms + pause_ms - candidate.now_ms
    return Refusal(code=code, numbers=numbers | {"left_ms": Decimal(left_ms)})


def _times(window_min: int, pause_min: int) -> tuple[int, int]:
    return window_min * MINUTE_MS, pause_min * MINUTE_MS
