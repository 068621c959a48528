"""A Set is explained by the very rules it is judged by."""

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.bookkeeping import Bookkeeper
from engine.history import History
from engine.mirroring import mirrored
from engine.sets import Grid, make_grid
from engine.settings import Settings, with_values
from engine.standing import Explanation, explain_standing, profit_factor, standing_of
from engine.statistics import Stage, Status
from engine.values import IndicationType, Side

RULES = with_values(Settings(), {"maxSetsPerSymbol": 100})
GRID = make_grid(RULES)
MINUTE_MS = 60_000
KINDS: dict[str, dict[str, object]] = {
    "plain": {},
    "lenient": {"baseProfitFactor": "0.1", "mainProfitFactor": "0.1", "realProfitFactor": "0.1"},
    "strict": {"lastStateMode": "all", "lastPositionsCount": 12, "realShortWindow": 30},
}


def set_of(indication: IndicationType, *, trailing: bool = False, grid: Grid = GRID) -> int:
    keys = [grid.key("BTCUSDT", k) for k in range(len(grid))]
    return next(
        k
        for k, key in enumerate(keys)
        if key.indication is indication and key.exits.is_trailing is trailing
    )


K = set_of(IndicationType.MOVE)


def booked(results: list[int], *, rules: Settings = RULES, apart_min: int = 1) -> History:
    """A Set with one result a minute, those after the tenth of positions opened at Main."""
    keeper = Bookkeeper(History.fresh(1, len(GRID), rules), rules, GRID.is_preset)
    for minute, result in enumerate(results, start=1):
        one = np.array([K])
        at_ms = np.array([minute * apart_min * MINUTE_MS])
        keeper.book(one, np.array([result], np.int16), at_ms, np.array([minute > 10]))
    return keeper.finish()[0]


def explained(results: list[int], rules: Settings = RULES, at_ms: int = 0) -> Explanation:
    return explain_standing(booked(results, rules=rules), GRID, 0, K, rules, at_ms=at_ms)


@pytest.mark.parametrize(
    ("results", "said"),
    [
        ([], "base, not main: results 0, at least 10 needed"),
        ([300] * 9, "base, not main: results 9, at least 10 needed"),
        ([300] * 3 + [-100] * 7, "base, not main: first_wins 30, at least 40 needed"),
        ([300] * 8 + [-1] * 2, "base, not main: last_state 1, at least 2 needed"),
        ([49] * 10, "base, not main: main_average 0.49, at least 0.5 needed"),
        ([39] * 10, "base, not main: base_average 0.39, at least 0.4 needed"),
        ([55] * 20, "main, not real: real_last_average 0.55, at least 0.6 needed"),
        (
            [60] * 6 + [-300] * 6 + [60] * 8,
            "main, not real: real_average -0.84, at least 0.6 needed",
        ),
        ([-5, *[60] * 8, -5, *[60] * 9], "main, not real: main_entries 9, at least 10 needed"),
        ([60] * 29, "real, not exchange: results 29, at least 30 needed"),
    ],
)
def test_the_first_rule_that_fails_is_named_with_what_it_found_and_needed(
    results: list[int], said: str
) -> None:
    assert explained(results).text == said


def test_a_long_time_below_the_peak_is_named_in_minutes() -> None:
    results = [200] * 15 + [-10, 3, 3, 200] + [200] * 11

    history = booked(results, apart_min=260)

    assert explain_standing(history, GRID, 0, K, RULES).text == (
        "main, not real: drawdown_time_min 780, at most 720 needed"
    )


def test_a_paused_set_is_told_what_would_end_its_pause() -> None:
    said = explained([300, 300, -100, -100, -100] * 10)

    assert (said.standing.status, said.standing.is_shadow) == (Status.PAUSED, True)
    assert said.text == "base, not main: resume_wins 40, at least 43 needed"


def test_a_set_on_the_exchange_may_be_held_back_from_wishing() -> None:
    good = [70] * 31

    assert explained(good).text == "exchange: nothing is between it and wish"
    off = explained(good, with_values(RULES, {"exchangeMoveEnabled": False}))
    assert off.text == "exchange, not wish: exchangeMoveEnabled 0, at least 1 needed"
    below = [*good, -1]
    hours = 32 * MINUTE_MS + 301 * MINUTE_MS
    assert explained(below, at_ms=hours).text == (
        "exchange, not wish: underwater_min 301, at most 300 needed"
    )
    assert explained(below, at_ms=hours - MINUTE_MS).finding is None
    strict = with_values(RULES, {"setDrawdownRatio": "0.1"})
    fallen = explained([500] * 39 + [-4000] + [100] * 9, strict)
    assert fallen.standing.is_shadow
    assert fallen.text == "exchange, not wish: give_back 0.152, at most 0.1 needed"


def test_the_figures_of_a_set_are_those_of_its_results() -> None:
    results = [690] * 6 + [-510] * 3 + [690]

    standing = standing_of(booked(results), 0, K)

    assert (standing.count, standing.kept, standing.results) == (10, 10, 10)
    assert standing.average_r == Decimal("3.3")
    assert standing.averages == ((8, Decimal("2.4")),)
    assert standing.win_pct == 70
    assert standing.profit_factor == Decimal("3.1569")
    assert standing.drawdown_pct == Decimal("31.677")
    assert standing.drawdown_time_ms == 3 * MINUTE_MS
    assert standing.underwater_ms == 7 * MINUTE_MS
    assert standing.free_ms == 10 * MINUTE_MS + 20_000


@pytest.mark.parametrize(
    ("gains", "losses", "factor"),
    [(690, 510, "1.3529"), (1, 0, "99.99"), (10**6, 1, "99.99"), (0, 5, "0"), (0, 0, "0")],
)
def test_the_profit_factor_is_capped_without_losses(gains: int, losses: int, factor: str) -> None:
    assert profit_factor(gains, losses) == Decimal(factor)


@given(
    results=st.lists(st.sampled_from([690, 300, 61, 1, -60, -510]), min_size=1, max_size=90),
    kind=st.sampled_from(sorted(KINDS)),
)
@settings(max_examples=25)
def test_an_explanation_agrees_with_the_promotion_it_explains(
    results: list[int], kind: str
) -> None:
    kinds: dict[str, dict[str, object]] = {
        "plain": {},
        "lenient": {
            "baseProfitFactor": "0.1",
            "mainProfitFactor": "0.1",
            "realProfitFactor": "0.1",
        },
        "strict": {"lastStateMode": "all", "lastPositionsCount": 12, "realShortWindow": 30},
    }
    values = kinds[kind]
    rules = with_values(RULES, values)
    history = booked(results, rules=rules)

    said = explain_standing(history, GRID, 0, K, rules)

    stage = Stage(int(history.stage[0, K]))
    steps = {"main": Stage.BASE, "real": Stage.MAIN, "exchange": Stage.REAL}
    assert steps.get(said.step, Stage.EXCHANGE) == stage == said.standing.stage
    assert (said.finding is None) == (stage is Stage.EXCHANGE and not history.filtered[0, K])


@pytest.mark.parametrize(
    ("key", "indication"),
    [
        ("exchangeDirectionEnabled", IndicationType.DIRECTION),
        ("exchangeMoveEnabled", IndicationType.MOVE),
        ("exchangeActiveEnabled", IndicationType.ACTIVE),
    ],
)
def test_a_switch_keeps_the_sets_of_its_type_off_the_exchange(
    key: str, indication: IndicationType
) -> None:
    kept = ~mirrored(GRID, with_values(RULES, {key: False}))

    types = [GRID.key("BTCUSDT", k).indication for k in range(len(GRID))]
    assert kept.tolist() == [each is indication for each in types]
    assert mirrored(GRID, RULES).all()


def test_a_switch_keeps_trailing_off_the_exchange() -> None:
    rules = with_values(RULES, {"exchangeTrailingEnabled": False})

    may = mirrored(GRID, rules)

    keys = [GRID.key("BTCUSDT", k) for k in range(len(GRID))]
    assert may.tolist() == [not key.exits.is_trailing for key in keys]
    assert {key.side for key, yes in zip(keys, may, strict=True) if yes} == set(Side)
