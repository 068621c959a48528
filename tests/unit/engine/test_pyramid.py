import numpy as np
import pytest
from tests.market import candles_of, walked
from tests.unit.engine.test_exits import bar_by_bar, ended, one_position, triggers_of

from engine.exits import OPEN, TRAILING, FirstExits, Triggers, first_exit, make_window
from engine.market import Candles, join_symbols
from engine.values import Side


def a_case(seed: int, length: int, start: int, gap_share: float) -> tuple[Candles, Triggers]:
    """Some positions from everywhere in a window, wide enough to live through many blocks."""
    rng = np.random.default_rng(seed)
    candles = walked(
        seed,
        length=length,
        symbols=("AUSDT", "BUSDT"),
        start=start,
        volatility=1e-3,
        gap_share=gap_share,
    )
    count = 24
    begin = rng.integers(0, length + 1, count)
    row = rng.integers(0, 4, count)
    known = np.maximum(candles.close[np.maximum(begin - 1, 0), row // 2], 1)
    target, stop, arm = rng.integers(1, 20, (3, count)) * 333_333
    trail = np.where(rng.random(count) < 0.6, rng.integers(1, 9, count) * 250_001, 0)
    return candles, triggers_of(row, begin, known, target, stop, arm, trail)


def found(exits: FirstExits) -> list[tuple[int, int, int]]:
    columns = (exits.bar.tolist(), exits.reason.tolist(), exits.price.tolist())
    return list(zip(*columns, strict=True))


@pytest.mark.parametrize("gap_share", [0.0, 0.5])
@pytest.mark.parametrize(
    ("length", "start"),
    [
        *((length, 300_000) for length in (1, 2, 15, 16, 17, 255, 256, 257, 4_200)),
        *((length, start) for length in (17, 257) for start in (40, 2_000_000_000)),
    ],
)
def test_exits_are_exact_whatever_the_levels_and_the_width_of_the_prices(
    length: int, start: int, gap_share: float
) -> None:
    candles, positions = a_case(length, length, start, gap_share)

    exits = first_exit(make_window(candles), positions)

    assert found(exits) == bar_by_bar(candles, positions)


def test_positions_searched_in_parts_end_as_they_do_together() -> None:
    candles, positions = a_case(3, 300, 300_000, 0.0)
    once = first_exit(make_window(candles), positions)
    many = 3_000

    repeated = Triggers(
        **{name: np.tile(getattr(positions, name), many) for name in Triggers.__slots__}
    )
    exits = first_exit(make_window(candles), repeated)

    assert len(exits.bar) > 1 << 16
    for name in FirstExits.__slots__:
        assert np.array_equal(getattr(exits, name), np.tile(getattr(once, name), many)), name


def test_a_symbol_ends_its_positions_alike_alone_and_beside_one_with_wide_prices() -> None:
    candles, positions = a_case(4, 400, 300_000, 0.0)
    wide = walked(5, length=400, symbols=("WIDE",), start=3_000_000_000)

    alone = first_exit(make_window(candles), positions)
    beside = first_exit(make_window(join_symbols([candles, wide])), positions)

    assert (alone.reason != OPEN).any()
    for name in FirstExits.__slots__:
        assert np.array_equal(getattr(alone, name), getattr(beside, name)), name


def test_no_positions_and_no_candles_end_nothing() -> None:
    candles, positions = a_case(6, 20, 300_000, 0.0)
    none = Triggers(**{name: getattr(positions, name)[:0] for name in Triggers.__slots__})

    assert found(first_exit(make_window(candles), none)) == []

    empty = first_exit(make_window(candles.rows(0, 0)), positions)
    assert (empty.reason == OPEN).all()


@pytest.mark.parametrize("length", [1, 2, 40])
def test_a_gap_ends_nothing_even_where_every_price_would(length: int) -> None:
    candles, positions = a_case(7, length, 300_000, 1.0)
    columns = {name: getattr(positions, name) for name in Triggers.__slots__}
    anything = np.full(len(positions.row), 1 << 60, np.int64)

    stopped = first_exit(make_window(candles), Triggers(**columns | {"stop": anything}))
    met = first_exit(make_window(candles), Triggers(**columns | {"target": -anything}))

    assert (stopped.reason == OPEN).all()
    assert (met.reason == OPEN).all()


@pytest.mark.parametrize("touch", [16, 37, 300])
@pytest.mark.parametrize("side", Side)
def test_a_trailing_stop_is_met_to_the_tick_wherever_in_a_long_window(
    side: Side, touch: int
) -> None:
    best, wanted = 1_010_000, 2_020  # 0.2 % of the best price
    if side is Side.SHORT:
        best, wanted = 990_000, 1_980
    closes = [best] + [best - side.sign * (wanted - 1)] * 400
    met = list(closes)
    met[touch] -= side.sign
    position = one_position(side, arm="0.6", trail="0.2")

    assert ended(candles_of(closes), position)[1] == OPEN
    assert ended(candles_of(met), position) == (touch, TRAILING, best - side.sign * wanted)
