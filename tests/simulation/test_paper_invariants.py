"""What must hold on paper, whatever the market: rings, sides, short keys, gaps, and no volume."""

from collections import defaultdict
from dataclasses import fields
from functools import cache
from itertools import pairwise
from math import ceil

import numpy as np
import pytest
from tests.everything import everything
from tests.market import walked
from tests.unit.engine.trading import lenient, planned

from engine.history import History, Ring
from engine.market import Candles, Kind
from engine.pseudo import Pseudo
from engine.trade import TradePlan, TradeState
from engine.trade_plan import CHANGE, CLOSING, OPENING
from engine.values import SetKey, Side, Wish

SYMBOLS = ("AUSDT", "BUSDT")
SLACK_PCT = 20
SOON = {"positionCooldown": 0, "validationTimeout": 1, "failedRetryHours": 1}
RULES = {"few": lenient(**SOON), "all": everything(maxSetsPerSymbol=300, **SOON)}
SEEDS = pytest.mark.parametrize("seed", range(3))
ON = pytest.mark.parametrize("on", RULES)
OF_THE_ACCOUNT = ("quantity", "volume", "balance", "equity", "notional", "margin", "leverage")


@cache
def traded(seed: int, on: str) -> tuple[Candles, TradeState, TradePlan]:
    candles = walked(seed, length=3000, symbols=SYMBOLS, volatility=3e-3, gap_share=0.02)
    return candles, *planned(candles, RULES[on])


@pytest.mark.parametrize("kind", [Pseudo, History, Ring, Wish, SetKey])
def test_what_paper_remembers_has_no_volume(kind: type) -> None:
    names = [field.name for field in fields(kind)]

    assert not [name for name in names for word in OF_THE_ACCOUNT if word in name]


@pytest.mark.parametrize("record", [OPENING, CLOSING, CHANGE], ids=["open", "close", "change"])
def test_what_paper_tells_has_no_volume(record: np.dtype[np.void]) -> None:
    assert not [name for name in record.names or () for word in OF_THE_ACCOUNT if word in name]


@SEEDS
@ON
def test_a_set_keeps_its_newest_results_within_its_limit_and_its_slack(seed: int, on: str) -> None:
    _, state, plan = traded(seed, on)
    limit = RULES[on].database_size
    ever = state.history.count

    assert ever.max() > ceil(limit * (1 + SLACK_PCT / 100))  # there is something to let go
    for symbol, k in np.argwhere(ever > 0):
        kept = state.history.last_results(int(symbol), int(k))
        own = (plan.closings["symbol"] == symbol) & (plan.closings["set"] == k)
        assert min(int(ever[symbol, k]), limit) <= len(kept) <= ceil(limit * (1 + SLACK_PCT / 100))
        assert kept.tolist() == plan.closings[own]["result"].tolist()[-len(kept) :]


@SEEDS
@pytest.mark.parametrize("side", Side)
def test_the_statistics_of_a_side_are_those_of_its_own_positions(seed: int, side: Side) -> None:
    """Results follow from entry and exit by the sign of the Set's own side, for every Set."""
    candles, state, plan = traded(seed, "few")
    of_side = state.grid.sign[plan.closings["set"]] == side.sign
    closings = plan.closings[of_side]
    cost_pct = float(RULES["few"].round_trip_cost_pct)

    move_pct = side.sign * (closings["exit"] / closings["entry"] - 1) * 100
    expected = (move_pct - cost_pct) / float(RULES["few"].position_cost_pct) * 100

    assert np.abs(closings["result"] - expected).max() < 3
    assert len(closings) > 200
    for k in np.unique(closings["set"]):
        assert state.set_key(candles.symbols[0], int(k)).side is side


@SEEDS
@ON
def test_at_most_one_position_that_is_no_shadow_holds_a_short_key(seed: int, on: str) -> None:
    _, state, plan = traded(seed, on)
    ended = {
        (int(c["symbol"]), int(c["set"]), int(c["opened_ms"])): int(c["bar"]) for c in plan.closings
    }
    held: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for opening in plan.openings[~plan.openings["shadow"]]:
        symbol, k = int(opening["symbol"]), int(opening["set"])
        short = state.set_key(SYMBOLS[symbol], k).short_text
        until = ended.get((symbol, k, int(opening["at_ms"])), 1 << 60)
        held[short].append((int(opening["bar"]), until))

    assert len(held) > 10
    for lives in held.values():
        assert all(later[0] >= earlier[1] for earlier, later in pairwise(sorted(lives)))


@SEEDS
@ON
def test_nothing_opens_without_a_price_of_the_market_and_no_exit_is_better_than_it(
    seed: int, on: str
) -> None:
    candles, state, plan = traded(seed, on)
    for records in (plan.signals, plan.openings, plan.closings):
        assert (candles.kind[records["bar"], records["symbol"]] != Kind.GAP).all()
    at = (plan.openings["bar"], plan.openings["symbol"])
    assert (plan.openings["entry"] == candles.close[at]).all()

    at = (plan.closings["bar"], plan.closings["symbol"])
    sign = state.grid.sign[plan.closings["set"]]
    best = np.where(sign > 0, candles.high[at], -candles.low[at])
    assert (sign * plan.closings["exit"] <= best).all()
    assert (plan.closings["entry"] > 0).all()
