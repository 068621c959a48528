"""What the trade side remembers of its symbols; may be cut and joined by symbol at will."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np

from engine.errors import CorruptStateError
from engine.history import History, Ring
from engine.indications.signals import IndicationState
from engine.market import Ints
from engine.pseudo import Pseudo
from engine.sets import Grid, make_grid
from engine.settings import Settings
from engine.statistics import Stage
from engine.strategies.adjusting import adjust_columns
from engine.values import Instrument, SetKey


@dataclass(frozen=True, slots=True, kw_only=True)
class TradeState:
    """Everything the trade side remembers of S symbols.

    `last_close_ms` is the close time of the last candle seen, 0 before the first.
    """

    instruments: tuple[Instrument, ...]
    grid: Grid
    indications: IndicationState
    positions: Pseudo
    history: History
    last_close_ms: int = 0

    @property
    def symbols(self) -> tuple[str, ...]:
        return tuple(each.symbol for each in self.instruments)

    @staticmethod
    def fresh(instruments: Sequence[Instrument], settings: Settings) -> "TradeState":
        """A state that knows nothing; its grid follows from `settings`."""
        grid = make_grid(settings)
        return TradeState(
            instruments=tuple(instruments),
            grid=grid,
            indications=IndicationState.fresh(len(instruments), len(grid.slots)),
            positions=Pseudo.none(adjust_columns(grid, settings)),
            history=History.fresh(len(instruments), len(grid), settings),
        )

    def counts(self) -> dict[str, int]:
        """Open pseudo positions without shadows, Sets with results by stage, and results kept."""
        tried = self.history.count > 0
        stages = {
            f"sets_{stage.name.lower()}": int((tried & (self.history.stage == stage)).sum())
            for stage in Stage
        }
        return {
            "open_pseudo_positions": int((~self.positions.shadow).sum()),
            "results": self.history.results_kept(),
            **stages,
        }

    def has_proven_sets(self) -> bool:
        """Whether any Set may be mirrored to the exchange when it opens next."""
        return bool((self.history.stage == Stage.EXCHANGE).any())

    def set_key(self, symbol: str, k: int) -> SetKey:
        """The identity of Set `k` of `symbol`."""
        return self.grid.key(symbol, k)

    def select(self, symbols: Sequence[str]) -> "TradeState":
        """The state of these symbols alone, in this order."""
        columns = np.array([self.symbols.index(symbol) for symbol in symbols], np.int64)
        return replace(
            self,
            instruments=tuple(self.instruments[column] for column in columns),
            indications=self.indications.select(columns),
            positions=_positions_of(self.positions, columns, len(self.grid)),
            history=_history_of(self.history, columns),
        )

    @staticmethod
    def join(states: Sequence["TradeState"]) -> "TradeState":
        """States of different symbols that saw the same candles, as one.

        Raises
        ------
        CorruptStateError
            If their Sets or the candles they saw differ.
        """
        first = states[0]
        for state in states[1:]:
            _check_alike(first, state)
        sets = len(first.grid)
        positions, ahead = [], 0
        for state in states:
            moved = replace(state.positions, ids=state.positions.ids + ahead * sets)
            positions.append(moved)
            ahead += len(state.instruments)
        return replace(
            first,
            instruments=tuple(each for state in states for each in state.instruments),
            indications=IndicationState.join([state.indications for state in states]),
            positions=Pseudo.join(positions),
            history=_joined_history([state.history for state in states]),
        )


def _check_alike(one: TradeState, other: TradeState) -> None:
    a, b = one.indications, other.indications
    both = min(len(a.at_ms), len(b.at_ms))
    same_candles = (
        one.last_close_ms == other.last_close_ms
        and a.span_ms == b.span_ms
        and np.array_equal(a.at_ms[len(a.at_ms) - both :], b.at_ms[len(b.at_ms) - both :])
    )
    if one.grid.fingerprint != other.grid.fingerprint:
        raise CorruptStateError(f"{other.symbols} have other Sets than {one.symbols}")
    if not same_candles:
        raise CorruptStateError(
            f"{other.symbols} saw candles until {other.last_close_ms} of {b.span_ms} ms, "
            f"{one.symbols} until {one.last_close_ms} of {a.span_ms} ms"
        )


def _positions_of(positions: Pseudo, columns: Ints, sets: int) -> Pseudo:
    symbol = positions.ids // sets
    parts = []
    for new, old in enumerate(columns):
        part = positions.take(symbol == old)
        parts.append(replace(part, ids=part.ids + (new - old) * sets))
    return Pseudo.join([*parts, positions.take(np.zeros(0, np.int64))])


def _history_of(history: History, columns: Ints) -> History:
    arrays = {name: getattr(history, name)[columns] for name in _columns()}
    return History(rings=tuple(history.rings[column] for column in columns), **arrays)


def _joined_history(histories: list[History]) -> History:
    arrays = {
        name: np.concatenate([getattr(each, name) for each in histories]) for name in _columns()
    }
    rings: tuple[Ring, ...] = tuple(ring for each in histories for ring in each.rings)
    return History(rings=rings, **arrays)


def _columns() -> list[str]:
    return [f.name for f in fields(History) if f.name != "rings"]
