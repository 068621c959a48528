"""What one pass of the trade side decided, as data."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.exits import STOP, TARGET, TRAILING
from engine.sets import Grid
from engine.values import CloseReason, Instrument, Wish

Records = NDArray[Any]

REASONS = {
    STOP: CloseReason.STOP_LOSS,
    TRAILING: CloseReason.TRAILING_STOP,
    TARGET: CloseReason.TAKE_PROFIT,
}
"""Close reasons by their number in `CLOSING`."""

OPENING = np.dtype(
    [
        ("bar", np.int64),
        ("at_ms", np.int64),
        ("symbol", np.int64),
        ("set", np.int64),
        ("entry", np.int64),  # ticks
        ("stage", np.int8),  # of the Set at entry
        ("shadow", np.bool_),
        ("wish", np.bool_),  # asks for the same on the exchange
    ]
)
CLOSING = np.dtype(
    [
        ("bar", np.int64),
        ("at_ms", np.int64),
        ("symbol", np.int64),
        ("set", np.int64),
        ("reason", np.int8),
        ("result", np.int16),  # hundredths of a position cost, net
        ("entry", np.int64),  # ticks
        ("exit", np.int64),  # ticks, before slippage
        ("opened_ms", np.int64),
        ("shadow", np.bool_),
    ]
)
CHANGE = np.dtype(
    [
        ("bar", np.int64),
        ("at_ms", np.int64),
        ("symbol", np.int64),
        ("set", np.int64),
        ("before", np.int8),  # stage
        ("after", np.int8),
    ]
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TradePlan:
    """Signals, paper trades, promotions and archived results of some candles.

    Records are structured arrays, each sorted by (bar, symbol, slot or Set); `symbol` counts in
    `instruments`, `set` in `grid`, `bar` in the candles planned over.

    Attributes
    ----------
    counts : signals, candidates refused by each filter, opened, shadow_opened, closed,
        shadow_closed, blocked (Sets a signal found open or resting), promoted, demoted, wishes,
        saturated.
    """

    instruments: tuple[Instrument, ...]
    grid: Grid
    signals: Records
    openings: Records
    closings: Records
    changes: Records
    archived: Records
    counts: Mapping[str, int]

    @property
    def close_reasons(self) -> dict[str, int]:
        """How many positions that were no shadows closed for each reason."""
        real = self.closings[~self.closings["shadow"]]["reason"]
        counted = Counter(real.tolist())
        return {str(REASONS[number]): count for number, count in sorted(counted.items())}

    @property
    def wishes(self) -> tuple[Wish, ...]:
        """What proven Real Sets ask for on the exchange."""
        wished = self.openings[self.openings["wish"]]
        return tuple(self._wish(each) for each in wished)

    def _wish(self, opening: Any) -> Wish:
        instrument = self.instruments[int(opening["symbol"])]
        return Wish(
            key=self.grid.key(instrument.symbol, int(opening["set"])),
            entry_close_ms=int(opening["at_ms"]),
            price=instrument.to_price(int(opening["entry"])),
        )


def cap_wishes(openings: Records, most: int) -> Records:
    """`openings` with at most `most` wishes a candle: the first by (symbol, Set)."""
    wished = np.flatnonzero(openings["wish"])
    bars = openings["at_ms"][wished]
    rank = np.arange(len(wished)) - np.searchsorted(bars, bars)
    capped = openings.copy()
    capped["wish"][wished[rank >= most]] = False
    return capped


def join_plans(plans: Sequence[TradePlan], *, max_mirrored_per_cycle: int) -> TradePlan:
    """Plans of different symbols over the same candles as one, as if planned together."""
    names = ("signals", "openings", "closings", "changes", "archived")
    joined: dict[str, Records] = {}
    for name in names:
        parts, ahead = [], 0
        for plan in plans:
            part = getattr(plan, name).copy()
            part["symbol"] += ahead
            ahead += len(plan.instruments)
            parts.append(part)
        column = "slot" if name == "signals" else "set"
        both = np.concatenate(parts)
        joined[name] = both[np.lexsort((both[column], both["symbol"], both["at_ms"]))]
    joined["openings"] = cap_wishes(joined["openings"], max_mirrored_per_cycle)
    counts = add_counts([plan.counts for plan in plans])
    counts["wishes"] = int(joined["openings"]["wish"].sum())
    return TradePlan(
        instruments=tuple(each for plan in plans for each in plan.instruments),
        grid=plans[0].grid,
        counts=counts,
        **joined,
    )


def add_counts(all_counts: Sequence[Mapping[str, int]]) -> dict[str, int]:
    """The sums of equal names."""
    total: Counter[str] = Counter()
    for counts in all_counts:
        total.update(counts)
    return dict(total)
