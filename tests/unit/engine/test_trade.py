from collections import defaultdict
from dataclasses import replace
from decimal import Decimal
from itertools import pairwise

import numpy as np
import pytest
from tests.builders import an_instrument
from tests.indicating import ALL_ON, EASY_AUTO
from tests.market import START_MS, candles_of, mirrored, walked
from tests.unit.engine.trading import fresh, lenient, planned

from engine.errors import InvalidCandleError
from engine.exits import STOP, TARGET, TRAILING
from engine.market import Candles
from engine.pseudo import results_of
from engine.settings import Settings, with_values
from engine.statistics import Stage
from engine.trade import TradePlan, TradeState, plan_trade
from engine.trade_plan import joined_surplus
from engine.values import RULES, Side

ENTRY = 1_000_000
SYMBOLS = ("AUSDT", "BUSDT")


def net(side: Side, entry: int, exit_: int, settings: Settings) -> int:
    signs, entries, exits = np.array([[side.sign], [entry], [exit_]], np.int64)
    return int(results_of(signs, entries, exits, settings)[0][0])


@pytest.mark.parametrize("side", Side)
@pytest.mark.parametrize(("move", "result"), [(8_000, 690), (-4_000, -510)])
def test_results_are_net_of_the_fees_of_both_sides(side: Side, move: int, result: int) -> None:
    free_of_slippage = with_values(Settings(), {"slippagePercent": "0"})

    assert net(side, ENTRY, ENTRY + side.sign * move, free_of_slippage) == result


@pytest.mark.parametrize("side", Side)
def test_slippage_costs_at_both_ends(side: Side) -> None:
    assert net(side, ENTRY, ENTRY, Settings()) == -150


def test_a_result_out_of_range_is_cut_and_counted() -> None:
    signs, entries, exits = np.array([[1], [1000], [9000]], np.int64)

    results, cut = results_of(signs, entries, exits, Settings())

    assert (results.tolist(), cut) == ([32767], 1)


def trend(side: Side) -> Candles:
    """400 s of quick steps one way: every entry with them earns."""
    rates = np.where(np.arange(400) % 3 == 2, 1.0016, 1.0009)
    path = ENTRY * np.cumprod(rates if side is Side.LONG else 1 / rates)
    return candles_of(np.rint(path).astype(np.int64).tolist())


@pytest.mark.parametrize("side", Side)
def test_a_trend_walks_sets_from_base_to_the_exchange_and_makes_wishes(side: Side) -> None:
    candles = trend(side)

    state, plan = planned(candles, lenient(positionCooldown=1, validationTimeout=1))

    seen: dict[int, list[int]] = defaultdict(list)
    for change in plan.changes:
        seen[int(change["set"])].append(int(change["after"]))
    proven = [stages for stages in seen.values() if Stage.EXCHANGE in stages]
    assert [Stage.MAIN, Stage.REAL, Stage.EXCHANGE] in [stages[:3] for stages in proven]
    assert plan.wishes
    for wish in plan.wishes:
        assert wish.key.side is side
        row = (wish.entry_close_ms - START_MS) // 1000 - 1
        assert wish.price == Decimal(int(candles.close[row, 0])) / 10
        assert wish.size_ratio == 1
    assert state.history.stage.max() == Stage.EXCHANGE
    assert plan.counts["wishes"] == len(plan.wishes)


def test_wishes_of_a_candle_are_capped() -> None:
    candles = trend(Side.LONG)
    free = lenient(positionCooldown=1, validationTimeout=1, maxMirroredPerCycle=50)
    capped = lenient(positionCooldown=1, validationTimeout=1, maxMirroredPerCycle=2)

    many, few = planned(candles, free)[1], planned(candles, capped)[1]

    assert max(np.unique([w.entry_close_ms for w in many.wishes], return_counts=True)[1]) > 2
    assert max(np.unique([w.entry_close_ms for w in few.wishes], return_counts=True)[1]) == 2
    assert {wish.wish_id for wish in few.wishes} < {wish.wish_id for wish in many.wishes}


def lively(seed: int = 3, **values: object) -> tuple[Candles, TradeState, TradePlan]:
    candles = walked(seed, length=500, symbols=SYMBOLS, volatility=2e-3)
    return candles, *planned(candles, lenient(**values))


def lives(plan: TradePlan) -> list[tuple[int, int, int, int, bool]]:
    """(symbol, Set, bar opened, bar closed or the end, shadow) of every position of a plan."""
    closed = {
        (int(c["symbol"]), int(c["set"]), int(c["opened_ms"])): int(c["bar"]) for c in plan.closings
    }
    return [
        (
            int(o["symbol"]),
            int(o["set"]),
            int(o["bar"]),
            closed.get((int(o["symbol"]), int(o["set"]), int(o["at_ms"])), 1 << 30),
            bool(o["shadow"]),
        )
        for o in plan.openings
    ]


def test_a_set_never_has_two_positions_and_rests_after_each() -> None:
    candles, _, plan = lively(positionCooldown=600)

    by_set: dict[tuple[int, int], list[tuple[int, int]]] = defaultdict(list)
    for symbol, k, opened, closed, _ in lives(plan):
        by_set[symbol, k].append((opened, closed))
    pauses = [
        candles.close_ms[later[0]] - candles.close_ms[earlier[1]]
        for each in by_set.values()
        for earlier, later in pairwise(each)
    ]
    assert len(pauses) > 20
    assert min(pauses) >= 600_000


def test_at_most_one_position_that_is_no_shadow_holds_a_short_key() -> None:
    _, state, plan = lively(seed=4)

    by_key: dict[tuple[int, int], list[tuple[int, int, int]]] = defaultdict(list)
    for symbol, k, opened, closed, shadow in lives(plan):
        if not shadow:
            by_key[symbol, int(state.grid.short[k])].append((opened, closed, k))
    for each in by_key.values():
        for earlier, later in pairwise(each):
            assert later[0] >= earlier[1]
    assert plan.counts["shadow_opened"] > 0


def test_the_first_set_of_a_short_key_opens_and_the_others_are_shadows_with_results() -> None:
    """Five steps at once are a Move over 3 and over 5: one short key, two Sets."""
    path = [ENTRY] * 6 + [ENTRY + 5_100, ENTRY + 5_200, ENTRY + 8_300]

    state, plan = planned(candles_of(path), lenient(activeEnabled=False, directionEnabled=False))

    keys = [state.set_key("BTCUSDT", int(k)) for k in plan.openings["set"]]
    by_short: dict[str, list[tuple[int, bool]]] = defaultdict(list)
    for key, opening in zip(keys, plan.openings, strict=True):
        by_short[key.short_text].append((key.parameter, bool(opening["shadow"])))
    shared = [found for found in by_short.values() if len(found) > 1]
    assert shared
    assert all(found == [(3, False), (5, True)] for found in shared)
    closed = {int(k) for k in plan.closings[plan.closings["shadow"]]["set"]}
    assert closed
    assert all(state.history.count[0, k] == 1 for k in closed)


@pytest.mark.parametrize("side", Side)
def test_long_and_short_hold_keys_of_their_own(side: Side) -> None:
    _, state, plan = lively(seed=5)

    signs = state.grid.sign[plan.openings["set"][~plan.openings["shadow"]]]

    assert (signs == side.sign).sum() > 20


@pytest.mark.parametrize("side", Side)
def test_a_set_closed_at_t_opens_again_at_t_plus_20_s_and_not_before(side: Side) -> None:
    settings = lenient(
        validationTimeout=1,
        activeEnabled=False,
        directionEnabled=False,
        gridRanges=[3],
        gridTakeProfits=["3"],
        gridStopLosses=["0.6"],
        trailingEnabled=False,
    )
    quiet = [ENTRY] * 6
    up = [1_003_100, 1_006_300]  # opens on three steps at once, then its target
    path = quiet + up + [1_006_300 + 1_100 * i for i in range(1, 30)]
    candles = candles_of(path)
    candles = candles if side is Side.LONG else mirrored(candles, ENTRY)

    _, plan = planned(candles, settings)

    assert plan.openings["bar"].tolist()[:2] == [6, 27]
    assert plan.closings["bar"].tolist()[0] == 7
    assert set(plan.signals["sign"].tolist()) == {side.sign}


@pytest.mark.parametrize("seed", range(3))
def test_exits_are_never_better_than_the_candle_allows(seed: int) -> None:
    candles, state, plan = lively(seed)

    rows = (plan.closings["bar"], plan.closings["symbol"])
    sign = state.grid.sign[plan.closings["set"]]
    best = np.where(sign > 0, candles.high[rows], -candles.low[rows])
    worst = np.where(sign > 0, candles.low[rows], -candles.high[rows])
    exit_ = sign * plan.closings["exit"]
    assert (exit_ <= best).all()
    assert (exit_ >= worst).all() or (plan.closings["reason"] == TARGET)[exit_ < worst].all()
    stopped = plan.closings["reason"] != TARGET
    assert (exit_[stopped] <= (sign * candles.open[rows])[stopped]).all()
    assert set(plan.closings["reason"].tolist()) == {STOP, TRAILING, TARGET}


def test_results_are_those_of_entry_and_exit_net_of_costs() -> None:
    _, state, plan = lively(seed=6)
    settings = lenient()
    cost_pct = float(settings.round_trip_cost_pct)

    sign = state.grid.sign[plan.closings["set"]]
    move_pct = sign * (plan.closings["exit"] / plan.closings["entry"] - 1) * 100
    expected = (move_pct - cost_pct) / 0.1 * 100

    assert np.abs(plan.closings["result"] - expected).max() < 2


def test_every_entry_is_the_close_of_its_signals_candle() -> None:
    candles, state, plan = lively(seed=7)

    rows = (plan.openings["bar"], plan.openings["symbol"])
    assert (plan.openings["entry"] == candles.close[rows]).all()
    signals = {(int(s["bar"]), int(s["symbol"]), int(s["slot"])) for s in plan.signals}
    for opening in plan.openings:
        slot = int(state.grid.slot[opening["set"]])
        assert (int(opening["bar"]), int(opening["symbol"]), slot) in signals


def test_counts_add_up() -> None:
    _, state, plan = lively(seed=8)
    sizes = np.diff(state.grid.begin)

    asked = int(sizes[plan.signals["slot"]].sum())
    counts = plan.counts
    opened = counts["opened"] + counts["shadow_opened"]
    assert asked == opened + counts["blocked"]
    assert opened == counts["closed"] + counts["shadow_closed"] + len(state.positions)
    assert sum(plan.close_reasons.values()) == counts["closed"]
    assert state.history.count.sum() == counts["closed"] + counts["shadow_closed"]


def test_kept_results_are_the_newest_of_each_set() -> None:
    settings = lenient(positionCooldown=0, validationTimeout=1, failedRetryHours=1)
    candles = walked(9, length=1500, symbols=("AUSDT",), volatility=3e-3)

    state, plan = planned(candles, settings)

    k = int(state.history.count[0].argmax())
    own = plan.closings[plan.closings["set"] == k]["result"].tolist()
    kept = state.history.last_results(0, k).tolist()
    archived = plan.archived[plan.archived["set"] == k]
    assert len(own) > 60 and 50 <= len(kept) <= 60
    assert [*archived["result"].tolist(), *kept] == own
    assert archived["number"].tolist() == list(range(len(own) - len(kept)))
    assert (candles.close_ms[archived["bar"]] == archived["at_ms"]).all()


def test_archived_results_are_told_by_candle_symbol_and_set() -> None:
    settings = lenient(positionCooldown=0, validationTimeout=1, failedRetryHours=1)
    candles = walked(9, length=1500, symbols=SYMBOLS, volatility=3e-3)

    state, plan = planned(candles, settings)

    told = {
        (each.symbol, each.at_ms, one.key_text, one.first): list(one.results)
        for each in plan.surplus
        for one in each.sets
    }
    number = {key_text: k for k, key_text in enumerate(_texts(state, "AUSDT"))}
    assert sum(map(len, told.values())) == len(plan.archived) > 11
    for (symbol, at_ms, key_text, first), results in told.items():
        if symbol == "AUSDT":
            own = plan.archived[plan.archived["set"] == number[key_text]]
            own = own[(own["symbol"] == 0) & (own["at_ms"] == at_ms)]
            assert (own["result"].tolist(), int(own["number"][0])) == (results, first)
    assert [(each.at_ms, each.symbol) for each in plan.surplus] == sorted(
        (each.at_ms, each.symbol) for each in plan.surplus
    )


def test_the_surplus_of_a_long_stretch_is_joined_under_one_moment() -> None:
    settings = lenient(positionCooldown=0, validationTimeout=1, failedRetryHours=1)
    candles = walked(9, length=1500, symbols=SYMBOLS, volatility=3e-3)
    _, plan = planned(candles, settings)

    joined = joined_surplus(plan, 7)

    apart: dict[tuple[str, str], list[int]] = defaultdict(list)
    for each in plan.surplus:
        for one in each.sets:
            apart[each.symbol, one.key_text] += one.results
    assert apart
    assert {each.at_ms for each in joined} == {7}
    assert apart == {
        (each.symbol, one.key_text): list(one.results) for each in joined for one in each.sets
    }
    assert all(one.first == 0 for each in joined for one in each.sets)


def _texts(state: TradeState, symbol: str) -> list[str]:
    return [state.set_key(symbol, k).text for k in range(len(state.grid))]


def test_a_failed_set_rests_for_its_retry_time() -> None:
    settings = lenient(failedRetryHours=12, positionCooldown=0)
    candles = walked(3, length=1500, symbols=("AUSDT",), volatility=2e-3)

    state, plan = planned(candles, settings)

    failed = np.flatnonzero(state.history.status[0] == 4)
    assert len(failed)
    for k in failed:
        last = plan.closings[plan.closings["set"] == k]["at_ms"][-1]
        assert state.history.free_ms[0, k] == last + 12 * 3_600_000
        assert plan.openings[plan.openings["set"] == k]["at_ms"][-1] < last


def test_candles_of_other_symbols_are_refused() -> None:
    candles = walked(1, length=3, symbols=("AUSDT",))

    with pytest.raises(InvalidCandleError, match="BUSDT"):
        plan_trade(fresh(("BUSDT",), lenient()), candles, lenient())


@pytest.mark.parametrize("field", ["open", "high", "low", "close"])
def test_a_price_that_cannot_be_opens_nothing(field: str) -> None:
    candles = walked(1, length=10, symbols=("AUSDT",))
    prices = getattr(candles, field).copy()
    prices[4, 0] = -1

    with pytest.raises(InvalidCandleError, match="AUSDT"):
        planned(replace(candles, **{field: prices}), lenient())


def test_the_default_grid_signals_and_trades_on_every_indication() -> None:
    easier = {"marketChangeRange": 1, "lastPartRatioFactor": "1.0", "tradeMode": "both"}
    settings = with_values(Settings(), {**ALL_ON, **EASY_AUTO, **easier})
    candles = walked(2, length=1500, symbols=("AUSDT",), volatility=2e-3)

    _, plan = plan_trade(TradeState.fresh([an_instrument("AUSDT")], settings), candles, settings)

    kinds = set(plan.signals["indication"].tolist())
    assert kinds == set(range(len(RULES)))
    assert plan.counts["closed"] > 500
