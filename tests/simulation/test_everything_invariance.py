"""With everything switched on the same candles give the same state and plans, however they come."""

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.everything import everything
from tests.market import walked, without_rows
from tests.unit.engine.trading import books_of, fresh, in_pieces, planned, timeline

from engine.books import restore
from engine.market import Candles
from engine.trade import TradeState, plan_trade
from engine.trade_plan import join_plans
from engine.values import RULES as SIGNALLING
from engine.values import IndicationType

SYMBOLS = ("AUSDT", "BUSDT", "CUSDT")
LENGTH = 1300
RULES = everything(maxSetsPerSymbol=600, maxMirroredPerCycle=2)
SOME = settings(max_examples=8)

seeds = st.integers(0, 10**6)
cuts_in_time = st.lists(st.integers(1, LENGTH - 4), min_size=1, max_size=5)


def market(seed: int, span_ms: int = 1000) -> Candles:
    volatility = 8e-4 if span_ms == 1000 else 2e-3
    candles = walked(
        seed,
        length=LENGTH,
        symbols=SYMBOLS,
        span_ms=span_ms,
        volatility=volatility,
        drift=1e-5 * (seed % 3 - 1),
        gap_share=0.01 * (seed % 2),
    )
    return without_rows(candles, [seed % LENGTH])


@SOME
@given(seed=seeds, span_ms=st.sampled_from([1000, 60_000]), cuts=cuts_in_time)
def test_any_split_in_time_gives_the_same(seed: int, span_ms: int, cuts: list[int]) -> None:
    candles = market(seed, span_ms)
    state, plan = planned(candles, RULES)

    split, plans = in_pieces(fresh(SYMBOLS, RULES), candles, cuts, RULES)

    assert timeline(plans) == timeline([plan])
    assert books_of(split) == books_of(state)


@SOME
@given(seed=seeds, first=st.sets(st.sampled_from(SYMBOLS), min_size=1, max_size=2))
def test_any_grouping_of_symbols_gives_the_same(seed: int, first: set[str]) -> None:
    candles = market(seed)
    groups = [sorted(first), sorted(set(SYMBOLS) - first)]
    order = [symbol for group in groups for symbol in group]

    parts = [planned(candles.select(group), RULES) for group in groups]
    joined = TradeState.join([part for part, _ in parts])
    plans = join_plans([each for _, each in parts], max_mirrored_per_cycle=2)
    state, together = planned(candles.select(order), RULES)

    assert books_of(joined) == books_of(state)
    assert timeline([plans]) == timeline([together])
    assert plans.counts == together.counts


@SOME
@given(seed=seeds, cuts=cuts_in_time)
def test_restarts_from_the_books_between_change_nothing(seed: int, cuts: list[int]) -> None:
    candles = market(seed)
    state, plan = planned(candles, RULES)

    woken, plans = fresh(SYMBOLS, RULES), []
    for begin, end in pairwise([0, *sorted(cuts), len(candles)]):
        piece = candles.rows(begin, end)
        if woken.last_close_ms:
            woken = restore(woken.instruments, RULES, books_of(woken))
        woken, found = plan_trade(woken, piece, RULES)
        plans.append(found)

    assert timeline(plans) == timeline([plan])
    assert books_of(woken) == books_of(state)


def test_one_candle_at_a_time_gives_the_same() -> None:
    candles = market(3).rows(0, 500)
    state, plan = planned(candles, RULES)

    live, plans = in_pieces(fresh(SYMBOLS, RULES), candles, range(1, len(candles)), RULES)

    assert timeline(plans) == timeline([plan])
    assert books_of(live) == books_of(state)


def test_the_market_above_shows_every_indication_and_every_end() -> None:
    """What is compared above is not nothing."""
    kinds, reasons, steps, taken = set(), set(), 0, 0
    for seed, span_ms in ((1, 1000), (2, 60_000), (4, 60_000)):
        _, plan = planned(market(seed, span_ms), RULES)
        kinds |= {list(IndicationType)[number] for number in plan.signals["indication"]}
        reasons |= set(plan.close_reasons)
        steps += int(plan.closings["steps"].sum())
        taken += int((plan.closings["taken"] > 0).sum())

    assert kinds == set(SIGNALLING)
    assert reasons == {"stop_loss", "trailing_stop", "take_profit", "timeout", "strategy_exit"}
    assert steps > 100
    assert taken > 100
