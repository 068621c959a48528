from dataclasses import fields
from decimal import Decimal

import numpy as np
import pytest
from tests.market import bars_of, candles_of, mirrored, walked, with_gaps

from engine.exits import (
    OPEN,
    STOP,
    TARGET,
    TRAILING,
    FirstExits,
    Triggers,
    first_exit,
    make_window,
)
from engine.market import Candles, Ints, Kind
from engine.ticks import RATIO, distance, ratio_units
from engine.values import Side

NEVER = 1 << 60
ENTRY = 1_000_000  # 100.0000 at a tick of 0.0001


def triggers_of(
    row: Ints, start: Ints, entry: Ints, target: Ints, stop: Ints, arm: Ints, trail: Ints
) -> Triggers:
    """Positions entered at `entry` ticks with distances in millionths of a percent."""
    own = np.where(row % 2 == 0, entry, -entry)
    return Triggers(
        row=row,
        start=start,
        stop=own - distance(entry, stop),
        target=own + distance(entry, target),
        arm=np.where(trail > 0, own + distance(entry, arm), NEVER),
        trail=trail,
        peak=own,
    )


def one_position(
    side: Side, *, target: str = "5", stop: str = "5", arm: str = "0", trail: str = "0"
) -> Triggers:
    def column(value: int) -> Ints:
        return np.array([value], np.int64)

    distances = [column(ratio_units(Decimal(pct))) for pct in (target, stop, arm, trail)]
    return triggers_of(column(side is Side.SHORT), column(0), column(ENTRY), *distances)


def ended(candles: Candles, position: Triggers) -> tuple[int, int, int]:
    """Bar, reason and fill price in ticks of one position."""
    exits = first_exit(make_window(candles), position)
    return int(exits.bar[0]), int(exits.reason[0]), abs(int(exits.price[0]))


def bar_by_bar(candles: Candles, positions: Triggers) -> list[tuple[int, int, int]]:
    """The rule as a plain loop, written from its words."""
    return [_walk(candles, positions, number) for number in range(len(positions.row))]


def _walk(candles: Candles, positions: Triggers, number: int) -> tuple[int, int, int]:
    symbol, short = divmod(int(positions.row[number]), 2)
    stop, target, arm, trail, peak = (
        int(getattr(positions, name)[number]) for name in ("stop", "target", "arm", "trail", "peak")
    )
    for bar in range(int(positions.start[number]), len(candles)):
        if candles.kind[bar, symbol] == Kind.GAP:
            continue
        open_, high, low = (
            int(values[bar, symbol]) for values in (candles.open, candles.high, candles.low)
        )
        if short:
            open_, high, low = -open_, -low, -high
        trailing = peak - -(-abs(peak) * trail // RATIO) if trail and peak >= arm else -NEVER
        if low <= stop or low <= trailing:
            reason = TRAILING if trailing > stop else STOP
            return bar, reason, min(max(stop, trailing), open_)
        if high >= target:
            return bar, TARGET, target
        peak = max(peak, high)
    return len(candles), OPEN, 0


def random_case(seed: int, count: int = 60) -> tuple[Candles, Triggers]:
    rng = np.random.default_rng(seed)
    length = int(rng.integers(1, 150))
    start = int(rng.choice([40, 1000, 300_000]))
    candles = walked(
        seed,
        length=length,
        symbols=("AUSDT", "BUSDT"),
        start=start,
        volatility=float(rng.choice([1e-3, 4e-3, 2e-2])),
        gap_share=float(rng.choice([0, 0.1])),
    )
    begin = rng.integers(0, length + 1, count)
    row = rng.integers(0, 4, count)
    known = np.maximum(candles.close[np.maximum(begin - 1, 0), row // 2], 1)
    steps = rng.integers(1, 40, (3, count)) * 50_000
    trail = np.where(rng.random(count) < 0.5, rng.integers(1, 12, count) * 50_000, 0)
    return candles, triggers_of(row, begin, known, steps[0], steps[1], steps[2], trail)


@pytest.mark.parametrize("block", range(10))
def test_exits_equal_those_of_a_plain_loop_over_the_candles(block: int) -> None:
    reasons: set[int] = set()
    for seed in range(block * 8, block * 8 + 8):
        candles, positions = random_case(seed)

        exits = first_exit(make_window(candles), positions)

        found = list(
            zip(exits.bar.tolist(), exits.reason.tolist(), exits.price.tolist(), strict=True)
        )
        assert found == bar_by_bar(candles, positions), f"seed {seed}"
        reasons |= set(exits.reason.tolist())
    assert reasons == {OPEN, STOP, TRAILING, TARGET}


@pytest.mark.parametrize("seed", range(4))
def test_one_candle_at_a_time_ends_positions_where_the_whole_window_does(seed: int) -> None:
    candles, positions = random_case(seed)
    whole = first_exit(make_window(candles), positions)

    found = _live(candles, positions)

    open_ = whole.reason == OPEN
    for name in ("bar", "reason", "price"):
        assert getattr(found, name).tolist() == getattr(whole, name).tolist(), name
    trailing = open_ & (positions.trail > 0)
    assert found.peak[trailing].tolist() == whole.peak[trailing].tolist()


def _live(candles: Candles, positions: Triggers) -> FirstExits:
    count = len(positions.row)
    found = FirstExits(
        bar=np.full(count, len(candles)),
        reason=np.full(count, OPEN, np.int8),
        price=np.zeros(count, np.int64),
        peak=positions.peak.copy(),
    )
    for bar in range(len(candles)):
        alive = np.flatnonzero((found.reason == OPEN) & (positions.start <= bar))
        held = {f.name: getattr(positions, f.name)[alive] for f in fields(Triggers)}
        held |= {"start": np.zeros(len(alive), np.int64), "peak": found.peak[alive]}
        exits = first_exit(make_window(candles.rows(bar, bar + 1)), Triggers(**held))
        closed = exits.reason != OPEN
        found.peak[alive] = exits.peak
        found.bar[alive[closed]] = bar
        found.reason[alive[closed]] = exits.reason[closed]
        found.price[alive[closed]] = exits.price[closed]
    return found


def both_sides(candles: Candles, side: Side) -> Candles:
    return candles if side is Side.LONG else mirrored(candles, ENTRY)


@pytest.mark.parametrize(
    ("side", "target", "stop"), [(Side.LONG, 1_008_000, 996_000), (Side.SHORT, 992_000, 1_004_000)]
)
def test_a_target_of_8_costs_and_half_of_it_as_stop_lie_where_they_should(
    side: Side, target: int, stop: int
) -> None:
    position = one_position(side, target="0.8", stop="0.4")

    assert ended(candles_of([ENTRY, target]), position) == (1, TARGET, target)
    assert ended(candles_of([ENTRY, stop]), position) == (1, STOP, stop)
    assert ended(candles_of([target - side.sign, stop + side.sign]), position)[1] == OPEN


@pytest.mark.parametrize("side", Side)
def test_trailing_arms_follows_the_best_price_and_closes(side: Side) -> None:
    path = candles_of([1_005_000, 1_006_000, 1_010_000, 1_007_900])
    position = one_position(side, arm="0.6", trail="0.2")

    bar, reason, price = ended(both_sides(path, side), position)

    assert (bar, reason) == (3, TRAILING)
    assert price == ENTRY + side.sign * 7_900


@pytest.mark.parametrize("side", Side)
def test_trailing_that_never_armed_never_closes(side: Side) -> None:
    path = candles_of([1_005_999, 1_000_000, 999_000])

    position = one_position(side, arm="0.6", trail="0.2")

    assert ended(both_sides(path, side), position)[1] == OPEN


@pytest.mark.parametrize("side", Side)
def test_the_stop_comes_first_in_a_candle_that_touches_both(side: Side) -> None:
    path = bars_of([(ENTRY, 1_010_000, 995_000, ENTRY)])

    position = one_position(side, target="0.8", stop="0.4")

    assert ended(both_sides(path, side), position) == (0, STOP, ENTRY - side.sign * 4_000)


@pytest.mark.parametrize("side", Side)
def test_a_candle_that_opens_past_the_stop_fills_at_its_open(side: Side) -> None:
    path = bars_of([(990_000, 991_000, 989_000, 990_500)])

    position = one_position(side, stop="0.4")

    assert ended(both_sides(path, side), position) == (0, STOP, ENTRY - side.sign * 10_000)


@pytest.mark.parametrize("side", Side)
def test_a_candle_does_not_trail_its_own_best_price(side: Side) -> None:
    path = bars_of(
        [(ENTRY, 1_010_000, 1_000_000, 1_001_000), (1_001_000, 1_001_000, 1_000_500, 1_001_000)]
    )

    position = one_position(side, arm="0.6", trail="0.2")

    assert ended(both_sides(path, side), position)[:2] == (1, TRAILING)


@pytest.mark.parametrize("side", Side)
def test_gaps_end_nothing_and_raise_no_best_price(side: Side) -> None:
    path = both_sides(candles_of([ENTRY, 1_020_000, 900_000, ENTRY]), side)
    gaps = np.array([[False], [True], [True], [False]])

    position = one_position(side, target="0.8", stop="0.4", arm="0.6", trail="0.2")

    assert ended(with_gaps(path, gaps), position)[1] == OPEN


@pytest.mark.parametrize("side", Side)
def test_an_exact_touch_counts_however_the_percentage_is_written_in_floats(side: Side) -> None:
    for steps in range(1, 60):
        move = 10_000 + side.sign * steps  # tick by tick, 0.01 % each
        position = one_position(side, target=str(Decimal(steps) / 100))
        scaled = np.array([10_000 * side.sign], np.int64)
        target = scaled + distance(
            np.array([10_000]), np.array([ratio_units(Decimal(steps) / 100)])
        )
        held = {f.name: getattr(position, f.name) for f in fields(Triggers)}
        held |= {"target": target, "stop": scaled - 9_000, "peak": scaled}

        assert ended(candles_of([move - side.sign, move]), Triggers(**held)) == (1, TARGET, move)
