"""History through the same `plan_trade` as live: a fold over pieces of candles."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from engine.market import Candles
from engine.settings import Settings
from engine.trade import TradePlan, TradeState, plan_trade
from engine.trade_plan import add_counts


@dataclass(frozen=True, slots=True, kw_only=True)
class Folded:
    """Totals of a fold: the sums of the plans' counts and close reasons, and the candles seen."""

    counts: dict[str, int]
    close_reasons: dict[str, int]
    candles: int


def fold(
    state: TradeState,
    pieces: Iterable[Candles],
    settings: Settings,
    on_progress: Callable[[int, TradePlan], None] | None = None,
    *,
    chunk: int = 1440,
) -> tuple[TradeState, Folded]:
    """Plan over `pieces` in order, at most `chunk` candles at a time.

    Pieces may differ in span: 1 m history, then 1 s. Candles the state has seen already are left
    out. `on_progress` is told the candles done so far and the plan of each chunk.
    """
    counts: dict[str, int] = {}
    reasons: dict[str, int] = {}
    done = 0
    for piece in pieces:
        last_ms = int(piece.close_ms[-1]) if len(piece) else 0
        new = piece.select(state.symbols).between(state.last_close_ms, last_ms)
        for start in range(0, len(new), chunk):
            rows = new.rows(start, start + chunk)
            state, plan = plan_trade(state, rows, settings)
            counts = add_counts([counts, plan.counts])
            reasons = add_counts([reasons, plan.close_reasons])
            done += len(rows)
            if on_progress is not None:
                on_progress(done, plan)
    return state, Folded(counts=counts, close_reasons=reasons, candles=done)
