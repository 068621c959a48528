"""Presets are traded where their results say so, and rest elsewhere with a reason."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tests.builders import a_wish, an_instrument
from tests.unit.engine.trading import books_of

from engine.bookkeeping import Bookkeeper
from engine.books import restore
from engine.preset_evaluation import PresetEvaluation, evaluate_presets, evaluation_time
from engine.preset_pool import PresetPool, preset_rules
from engine.sets import make_grid
from engine.settings import Settings, with_values
from engine.trade_plan import OPENING, cap_wishes
from engine.trade_state import TradeState
from engine.values import Side, Wish

HOUR_MS = 3_600_000
NOON_MS = 1_700_000_000_000 // (3 * HOUR_MS) * (3 * HOUR_MS)
SYMBOLS = ("AUSDT", "BUSDT", "CUSDT")
RULES = with_values(
    Settings(),
    {
        "tradeMode": "preset",
        "rsiPeriods": [7, 14],
        "presetTakeProfits": ["4"],
        "presetStopLosses": ["0.6"],
        "trailingEnabled": False,
    },
)
EMPTY = TradeState.fresh([an_instrument(symbol) for symbol in SYMBOLS], RULES)
FAST, SLOW = sorted({slot.variant.preset for slot in EMPTY.grid.slots}, key=lambda p: "rsi14" in p)
GOOD = [120, -60, 120] * 4


def set_of(symbol: str, name: str, side: Side) -> int:
    """Number of a Set over all symbols."""
    keys = [EMPTY.grid.key(symbol, k) for k in range(len(EMPTY.grid))]
    k = next(k for k, key in enumerate(keys) if (key.variant.preset, key.side) == (name, side))
    return SYMBOLS.index(symbol) * len(EMPTY.grid) + k


def learned(
    results: Mapping[tuple[str, str], Sequence[int]],
    *,
    side: Side = Side.LONG,
    apart_ms: int = HOUR_MS,
    end_ms: int = NOON_MS,
    at_main: bool = True,
    rules: Settings = RULES,
) -> TradeState:
    """Results of (configuration, symbol) pairs, the newest of each closed at `end_ms`."""
    keeper = Bookkeeper(EMPTY.history, rules, EMPTY.grid.is_preset)
    for (name, symbol), each in results.items():
        one = np.array([set_of(symbol, name, side)])
        for back, result in zip(range(len(each) - 1, -1, -1), each, strict=True):
            at_ms = np.array([end_ms - back * apart_ms])
            keeper.book(one, np.array([result], np.int16), at_ms, np.array([at_main]))
    return replace(EMPTY, history=keeper.finish()[0])


def evaluated(state: TradeState, rules: Settings = RULES, at_ms: int = NOON_MS) -> PresetEvaluation:
    return evaluate_presets(state, rules, at_ms)


def reason(results: Sequence[int], *, apart_ms: int = HOUR_MS, **values: object) -> str:
    rules = with_values(RULES, values)
    state = learned({(FAST, "AUSDT"): results}, apart_ms=apart_ms, rules=rules)
    finding = evaluated(state, rules).resting(FAST, "AUSDT")
    return "" if finding is None else finding.text


@pytest.mark.parametrize(
    ("results", "said"),
    [
        (GOOD, ""),
        ([], "trades 0, at least 10 needed"),
        (GOOD[:9], "trades 9, at least 10 needed"),
        ([60, 39] * 6, "average 0.495, at least 0.5 needed"),
    ],
)
def test_a_preset_needs_enough_results_and_a_good_average_on_a_symbol(
    results: Sequence[int], said: str
) -> None:
    assert reason(results) == said


def test_a_preset_needs_results_of_the_last_two_days() -> None:
    assert reason(GOOD, apart_ms=12 * HOUR_MS, presetDrawdownHours=20) in {
        "trades_48h 4, at least 5 needed"
    }
    assert reason(GOOD, apart_ms=9 * HOUR_MS, presetDrawdownHours=20) == ""


@pytest.mark.parametrize(("hours", "said"), [(4, ""), (7, "drawdown_time_h 14, at most 12 needed")])
def test_a_preset_may_not_be_below_its_peak_for_long(hours: int, said: str) -> None:
    results = [300] * 8 + [-200, 100, 300, 300]

    assert reason(results, apart_ms=hours * HOUR_MS) == said


@pytest.mark.parametrize(("newest", "passes"), [(-1, False), (0, False), (1, True)])
def test_one_of_the_newer_averages_must_be_above_zero(newest: int, passes: bool) -> None:
    """It only says something of a preset with more results than those averages are over."""
    many = np.array([80])
    pool = PresetPool(
        trades=many,
        trades_48h=many,
        gains=100 * many,
        losses=many,
        r=np.full((1, 50), newest, np.int64),
        times=np.arange(1, 51)[None],
    )

    rules = {rule.name: rule for rule in preset_rules(pool, RULES)}

    assert rules["newer_average"].passed.tolist() == [passes]
    assert rules["average"].passed.all()


def test_the_newest_results_alone_rest_a_preset_unless_that_is_off() -> None:
    results = [900] * 9 + [200, -150] * 5

    on = reason(results, presetFirstCount=10, presetAutoEvaluate=True)
    off = reason(results, presetFirstCount=10, presetAutoEvaluate=False)

    assert (on, off) == ("newest_average 0.25, at least 0.5 needed", "")


def test_only_results_of_positions_opened_at_main_count() -> None:
    state = learned({(FAST, "AUSDT"): GOOD}, at_main=False)

    resting = evaluated(state).resting(FAST, "AUSDT")

    assert resting is not None
    assert resting.text == "trades 0, at least 10 needed"


def test_both_sides_of_a_configuration_are_judged_together() -> None:
    long = learned({(FAST, "AUSDT"): GOOD[:5]})
    keeper = Bookkeeper(long.history, RULES, EMPTY.grid.is_preset)
    one = np.array([set_of("AUSDT", FAST, Side.SHORT)])
    for minute in range(5):
        at_ms = np.array([NOON_MS - minute])
        keeper.book(one, np.array([80], np.int16), at_ms, np.array([True]))
    both = replace(long, history=keeper.finish()[0])

    figures = evaluated(both).figures(FAST, "AUSDT")

    assert figures.trades == figures.trades_48h == 10
    assert figures.average_r == Decimal("0.64")
    assert figures.profit_factor == Decimal("6.3333")
    assert figures.average_first == figures.average_second == figures.average_r


def test_a_preset_that_fails_on_most_symbols_rests_on_all() -> None:
    poor = [900] * 9 + [200, -150] * 5
    results = {(FAST, "AUSDT"): poor, (FAST, "BUSDT"): poor, (FAST, "CUSDT"): GOOD}
    state = learned(results, rules=with_values(RULES, {"presetFirstCount": 10}))

    most = evaluated(state, with_values(RULES, {"presetFirstCount": 10}))
    more = {"presetFirstCount": 10, "presetFailedShare": 70}
    few = evaluated(state, with_values(RULES, more))

    said = "failed_symbols_pct 66.6667, at most 50 needed"
    assert most.reasons()[FAST] == said
    assert most.resting(FAST, "CUSDT") == most.whole[FAST]
    assert most.passed_on(wishes_of((FAST, "CUSDT", Side.LONG))) == ()
    assert most.counts == {"presets_trading": 0, "presets_resting": 6}
    assert few.resting(FAST, "CUSDT") is None
    assert few.counts == {"presets_trading": 1, "presets_resting": 5}


def wishes_of(*pairs: tuple[str, str, Side]) -> list[Wish]:
    number = len(EMPTY.grid)
    keys = [
        EMPTY.grid.key(each[1], set_of(symbol=each[1], name=each[0], side=each[2]) % number)
        for each in pairs
    ]
    return [replace(a_wish(), key=key) for key in keys]


def test_wishes_pass_by_rank_and_main_ones_untouched() -> None:
    better = [150, -20, 150] * 4
    results = {(FAST, "AUSDT"): GOOD, (SLOW, "AUSDT"): better, (FAST, "BUSDT"): GOOD}
    evaluation = evaluated(learned(results))
    asked = wishes_of(
        (FAST, "AUSDT", Side.LONG),
        (FAST, "BUSDT", Side.SHORT),
        (SLOW, "AUSDT", Side.SHORT),
        (SLOW, "BUSDT", Side.LONG),
    )
    main = a_wish(symbol="CUSDT")

    passed = evaluation.passed_on([*asked, main])

    assert passed[0] == main
    assert list(passed[1:]) == [asked[2], asked[1]]  # both the best of their symbol


def test_how_many_wishes_of_a_symbol_pass_is_a_setting() -> None:
    results = {(FAST, "AUSDT"): GOOD, (SLOW, "AUSDT"): [150, -20, 150] * 4}
    rules = with_values(RULES, {"presetWishesPerSymbol": 2})
    asked = wishes_of((FAST, "AUSDT", Side.LONG), (SLOW, "AUSDT", Side.SHORT))

    passed = evaluated(learned(results), rules).passed_on(asked)

    assert passed == (asked[1], asked[0])


@pytest.mark.parametrize(("mode", "left"), [("main", 2), ("preset", 3)])
def test_wishes_of_presets_are_counted_only_when_they_are_ranked(mode: str, left: int) -> None:
    grid = make_grid(with_values(RULES, {"tradeMode": mode}))
    openings = np.zeros(3, OPENING)
    openings["wish"], openings["set"] = True, [0, 1, 2]

    assert cap_wishes(openings, grid, 2)["wish"].sum() == left


def test_evaluations_fall_on_whole_periods_of_candle_time() -> None:
    assert evaluation_time(NOON_MS - 1000, RULES) == NOON_MS - 3 * HOUR_MS
    assert evaluation_time(NOON_MS, RULES) == NOON_MS
    assert evaluation_time(NOON_MS + 3 * HOUR_MS - 1000, RULES) == NOON_MS


@given(
    before=st.lists(st.integers(-100, 300), max_size=45),
    since=st.lists(st.integers(-100, 300), max_size=10),
)
@settings(max_examples=15)
def test_an_evaluation_made_later_or_after_a_restart_is_the_same(
    before: list[int], since: list[int]
) -> None:
    then = learned({(FAST, "BUSDT"): before})
    keeper = Bookkeeper(then.history, RULES, EMPTY.grid.is_preset)
    one = np.array([set_of("BUSDT", FAST, Side.LONG)])
    for second, result in enumerate(since, start=1):
        at_ms = np.array([NOON_MS + second])
        keeper.book(one, np.array([result], np.int16), at_ms, np.array([False]))
    later = replace(then, history=keeper.finish()[0])
    assume((later.history.results == later.history.count).all())  # a failed Set forgets
    restarted = restore(EMPTY.instruments, RULES, books_of(later))

    made = [evaluated(state) for state in (then, later, restarted)]

    told = [(each.reasons(), each.figures(FAST, "BUSDT")) for each in made]
    assert told[0] == told[1] == told[2]


def test_a_set_that_closed_often_since_is_judged_by_what_is_known_nearest() -> None:
    state = learned({(FAST, "AUSDT"): [-50] * 10 + [70] * 50 + [-900] * 10}, apart_ms=1)

    figures = evaluated(state, at_ms=NOON_MS - HOUR_MS).figures(FAST, "AUSDT")

    assert (figures.trades, figures.average_r) == (20, Decimal("0.7"))


def test_without_presets_nothing_is_evaluated() -> None:
    main = with_values(Settings(), {"tradeMode": "main"})
    plain = TradeState.fresh([an_instrument("AUSDT")], main)

    evaluation = evaluated(plain, main)

    assert (evaluation.reasons(), evaluation.counts["presets_trading"]) == ({}, 0)
    assert evaluation.passed_on([a_wish()]) == (a_wish(),)
