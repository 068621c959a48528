import numpy as np
import pytest
from tests.market import candles_of, mirrored, walked

from engine.indications.steps import StepState, Walk, walk_steps
from engine.market import Candles, Kind
from engine.settings import Settings
from engine.values import Side

SETTINGS = Settings()


def walk(candles: Candles) -> tuple[StepState, Walk]:
    state = StepState.fresh(len(candles.symbols))
    return step(state, candles)


def step(
    state: StepState, candles: Candles, settings: Settings = SETTINGS
) -> tuple[StepState, Walk]:
    known = candles.kind != Kind.GAP
    prices = (candles.close, candles.high, candles.low)
    return walk_steps(state, candles.close_ms, *prices, known, settings)


def last_steps(state: StepState, count: int) -> list[tuple[int, int]]:
    log = state.log
    return list(zip(log.sign[0, -count:].tolist(), log.anchor[0, -count:].tolist(), strict=True))


def test_steps_follow_the_price_in_units_of_the_position_cost() -> None:
    state, walked_ = walk(candles_of([1_000_000, 1_000_500, 1_001_000, 1_002_100, 1_000_900]))

    assert last_steps(state, 4) == [(0, 1_000_000), (1, 1_001_000), (1, 1_002_001), (-1, 1_000_999)]
    assert walked_.bar.tolist() == [0, 2, 3, 4]


@pytest.mark.parametrize("side", Side)
def test_one_candle_can_make_many_steps(side: Side) -> None:
    path = candles_of([1_000_000, 1_005_020])

    state, walked_ = walk(path if side is Side.LONG else mirrored(path, 1_000_000))

    assert walked_.bar.tolist() == [0, 1]
    assert state.log.run[0, -1] == 5
    assert state.log.sign[0, -5:].tolist() == [side.sign] * 5


def test_a_step_is_at_least_one_tick() -> None:
    state, _ = walk(candles_of([100, 101, 102, 101]))

    assert last_steps(state, 3) == [(1, 101), (1, 102), (-1, 101)]


def test_runs_and_the_run_before_are_counted_across_calls() -> None:
    closes = [1_000_000, 1_003_100, 1_001_000, 1_000_000, 1_001_500]
    candles = candles_of(closes)
    whole, _ = walk(candles)

    state = StepState.fresh(1)
    for bar in range(len(closes)):
        state, _ = step(state, candles.rows(bar, bar + 1))

    assert whole.log.run[0].tolist() == state.log.run[0].tolist()
    assert whole.log.before[0].tolist() == state.log.before[0].tolist()
    assert (whole.log.run[0, -1], whole.log.before[0, -1]) == (2, 3)


def test_each_step_knows_the_extremes_since_the_step_before() -> None:
    candles = walked(4, length=300)
    _, walked_ = walk(candles)

    log, previous = walked_.log, -1
    for index, bar in zip(walked_.index, walked_.bar, strict=True):
        since = slice(previous + 1, bar + 1)
        first = index - (log.at_ms[: index + 1] == log.at_ms[index]).sum() + 1
        assert log.high[first] == candles.high[since, 0].max()
        assert log.low[first] == candles.low[since, 0].min()
        previous = bar


def test_symbols_do_not_disturb_each_other() -> None:
    both = walked(9, length=200, symbols=("AUSDT", "BUSDT"))
    together, _ = walk(both)

    for column, symbol in enumerate(both.symbols):
        alone, _ = walk(both.select([symbol]))
        for name in ("sign", "at_ms", "anchor", "high", "low", "run", "before"):
            one, other = getattr(together.log, name)[column], getattr(alone.log, name)[0]
            assert np.array_equal(one, other), name
