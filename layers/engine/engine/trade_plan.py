"""What one pass of the trade side decided, as data."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.pseudo import REASONS
from engine.records import ArchivedResults, ArchivedSet
from engine.sets import Grid
from engine.values import Instrument, Turn, Wish

Records = NDArray[Any]

OPENING = np.dtype(
    [
        ("bar", np.int64),
        ("at_ms", np.int64),
        ("symbol", np.int64),
        ("set", np.int64),
        ("entry", np.int64),  # ticks
        ("stage", np.int8),  # of the Set at entry
        ("shadow", np.bool_),
        ("ratio", np.int16),  # its size against a plain one, hundredths
        ("wish", np.bool_),  # asks for the same on the exchange
    ]
)
CLOSING = np.dtype(
    [
        ("bar", np.int64),
        ("at_ms", np.int64),
        ("symbol", np.int64),
        ("set", np.int64),
        ("reason", np.int8),  # of `REASONS`
        ("result", np.int16),  # hundredths of a position cost, net, of all its parts
        ("entry", np.int64),  # ticks, the first one
        ("exit", np.int64),  # ticks, before slippage, of what was left
        ("steps", np.int8),  # of the ladder
        ("taken", np.int64),  # ticks, at which profit-back took its share, 0 if it did not
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
    turning : whether an opposite signal closes.
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
    turning: bool = False

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

    @property
    def turns(self) -> tuple[Turn, ...]:
        """Signals that close what their opposites opened; none unless that is asked for."""
        if not self.turning:
            return ()
        return tuple(
            self._turn(each) for each in self.signals if self.grid.opposite[each["slot"]] >= 0
        )

    @property
    def surplus(self) -> tuple[ArchivedResults, ...]:
        """Results that are kept no more, by candle and symbol."""
        records = self.archived
        edges = np.any([np.diff(records[n], prepend=-1) != 0 for n in ("bar", "symbol")], axis=0)
        starts = np.flatnonzero(edges)
        return tuple(self._archived(part) for part in np.split(records, starts)[1:])

    def _archived(self, records: Records) -> ArchivedResults:
        symbol = self.instruments[int(records["symbol"][0])].symbol
        sets = np.split(records, np.flatnonzero(np.diff(records["set"])) + 1)
        return ArchivedResults(
            symbol=symbol,
            at_ms=int(records["at_ms"][0]),
            sets=tuple(
                ArchivedSet(
                    key_text=self.grid.key(symbol, int(each["set"][0])).text,
                    first=int(each["number"][0]),
                    results=tuple(each["result"].tolist()),
                )
                for each in sets
            ),
        )

    def _turn(self, signal: Any) -> Turn:
        slot = self.grid.slots[int(signal["slot"])]
        return Turn(
            symbol=self.instruments[int(signal["symbol"])].symbol,
            indication=slot.indication,
            parameter=slot.parameter,
            side=slot.side.opposite,
            at_ms=int(signal["at_ms"]),
            variant=slot.variant,
        )

    def _wish(self, opening: Any) -> Wish:
        instrument = self.instruments[int(opening["symbol"])]
        return Wish(
            key=self.grid.key(instrument.symbol, int(opening["set"])),
            entry_close_ms=int(opening["at_ms"]),
            price=instrument.to_price(int(opening["entry"])),
            size_ratio=Decimal(int(opening["ratio"])) / 100,
        )


def cap_wishes(openings: Records, grid: Grid, most: int) -> Records:
    """`openings` with at most `most` wishes a candle in main mode: the first by (symbol, Set).

    Those of presets are chosen by their rank, which only an evaluation of all symbols knows.
    """
    wished = np.flatnonzero(openings["wish"] & ~grid.is_preset[openings["set"]])
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
    joined["openings"] = cap_wishes(joined["openings"], plans[0].grid, max_mirrored_per_cycle)
    counts = add_counts([plan.counts for plan in plans])
    counts["wishes"] = int(joined["openings"]["wish"].sum())
    return TradePlan(
        instruments=tuple(each for plan in plans for each in plan.instruments),
        grid=plans[0].grid,
        counts=counts,
        turning=plans[0].turning,
        **joined,
    )


def joined_surplus(plan: TradePlan, at_ms: int) -> tuple[ArchivedResults, ...]:
    """The surplus of a long stretch of candles, each symbol's under the one moment `at_ms`."""
    by_symbol: dict[str, dict[str, ArchivedSet]] = {}
    for each in plan.surplus:
        sets = by_symbol.setdefault(each.symbol, {})
        for one in each.sets:
            before = sets.get(one.key_text, replace(one, results=()))
            sets[one.key_text] = replace(before, results=before.results + one.results)
    return tuple(
        ArchivedResults(symbol=symbol, at_ms=at_ms, sets=tuple(sets.values()))
        for symbol, sets in by_symbol.items()
    )


def add_counts(all_counts: Sequence[Mapping[str, int]]) -> dict[str, int]:
    """The sums of equal names."""
    total: Counter[str] = Counter()
    for counts in all_counts:
        total.update(counts)
    return dict(total)
