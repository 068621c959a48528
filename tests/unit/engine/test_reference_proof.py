"""The worked examples of what results and losing positions do: phases, Block, DCA, the ring."""

from collections.abc import Sequence
from decimal import Decimal

import numpy as np
import pytest
from tests.builders import a_wish, an_instrument, on, some_exits
from tests.desk_world import TICK_MS, DeskWorld, with_settings
from tests.market import START_MS, candles_of, mirrored

from engine.bookkeeping import Bookkeeper
from engine.history import History
from engine.indications.signals import SIGNAL
from engine.promotion import Status
from engine.pseudo import FILLS, STEPS
from engine.sets import make_grid
from engine.settings import Settings, with_values
from engine.standing import standing_of
from engine.strategies.ratios import sizes_of
from engine.strategies.results import Booked
from engine.trade import TradeState, plan_trade
from engine.values import Side

WIN, LOSS = 690, -510
BOTH = pytest.mark.parametrize("side", list(Side))


def booked(
    results: Sequence[int], settings: Settings, history: History | None = None
) -> tuple[History, np.ndarray]:
    """The history of one Set with these results a minute apart, and what it keeps no more."""
    history = history or History.fresh(1, 1, settings)
    keeper = Bookkeeper(history, settings, np.array([False]))
    begin = int(history.count[0, 0])
    for number, result in enumerate(results, start=begin + 1):
        at_ms = np.array([START_MS + number * 60_000])
        keeper.book(np.array([0]), np.array([result], np.int16), at_ms, np.array([False]))
    return keeper.finish()


def evenly(wins: int, count: int) -> list[int]:
    """Wins of 6.9 and losses of 5.1 position costs, as evenly mixed as they go."""
    return [WIN if (i + 1) * wins // count > i * wins // count else LOSS for i in range(count)]


def status_after(results: Sequence[int], settings: Settings | None = None) -> Status:
    history, _ = booked(results, settings or Settings())
    return Status(int(history.status[0, 0]))


def test_of_ten_results_three_wins_fail_and_four_go_on() -> None:
    assert status_after(evenly(3, 10)[:9]) is Status.EVALUATING
    assert status_after(evenly(3, 10)) is Status.FAILED
    assert status_after(evenly(4, 10)) is Status.CONFIRMING


def test_with_23_wins_of_50_of_6_9_against_5_1_a_set_is_active() -> None:
    results = evenly(23, 50)

    history, _ = booked(results, Settings())

    known = standing_of(history, 0, 0)
    won = [r for r in results if r > 0]
    lost = [r for r in results if r < 0]
    ratio = Decimal(sum(won) * len(lost)) / Decimal(-sum(lost) * len(won))
    assert (known.win_pct, ratio.quantize(Decimal("0.001"))) == (Decimal(46), Decimal("1.353"))
    assert known.status is Status.ACTIVE
    assert status_after(evenly(22, 50)) is Status.PAUSED


def test_later_a_rolling_win_of_37_percent_pauses_and_43_percent_resumes() -> None:
    """Of 50 results 18 are the most below 37 %, 22 the fewest above 43 %; wins of twice the size
    keep the fall below the peak within its bound, so that the wins alone decide."""
    active = [2 * r if r > 0 else r for r in evenly(30, 50)]
    worse = [2 * r if r > 0 else r for r in evenly(18, 50)]
    better = [2 * r if r > 0 else r for r in evenly(22, 50)]

    history, _ = booked(active, Settings())
    assert history.status[0, 0] == Status.ACTIVE
    history, _ = booked(worse, Settings(), history)
    known = standing_of(history, 0, 0)
    assert (known.status, known.win_pct, known.is_shadow) == (Status.PAUSED, Decimal(36), True)
    history, _ = booked(better, Settings(), history)
    known = standing_of(history, 0, 0)
    assert (known.status, known.win_pct) == (Status.ACTIVE, Decimal(44))


BLOCKS = with_values(
    Settings(), {"blockEnabled": True, "blockSizes": [2], "blockAdjustmentRatio": "1"}
)


@pytest.mark.parametrize(
    ("results", "ratio"),
    [([-100], 100), ([-100, -200], 200), ([-100, -200, 300], 200), ([-100, -200, 300, -100], 100)],
)
def test_a_block_of_two_that_lost_doubles_the_ratio_until_a_block_that_won(
    results: list[int], ratio: int
) -> None:
    grid = make_grid(BLOCKS)
    history = History.fresh(1, len(grid), BLOCKS)
    numbers = np.arange(1, len(results) + 1)
    of_set = Booked(
        ids=np.zeros(len(results), np.int64), r=np.array(results, np.int16), epoch=numbers
    )

    opening = (np.array([0]), np.array([len(results)]), np.zeros(1, SIGNAL))
    found = sizes_of(history, of_set, grid, opening, BLOCKS)

    assert (found.ratio.tolist(), found.raised.tolist()) == ([ratio], [ratio > 100])


@BOTH
def test_a_ladder_of_one_adds_1_5_at_99_5_and_2_at_99_0_for_averages_of_99_7_and_99_3889(
    side: Side,
) -> None:
    world = DeskWorld(settings=with_settings(positions_average=100))
    world.open(a_wish(side, exits=some_exits(ladder=True)))
    found = [(world.only_position().quantity, Decimal(100))]

    for price in ("99.5", "99.0"):
        world.price(str(on(side, price)))
        world.run(5)
        position = world.only_position()
        assert position.entry_price is not None
        found.append((position.quantity, position.entry_price.quantize(Decimal("0.0001"))))
        world.run(world.settings.dca_step_cooldown_s * 1000 // TICK_MS)

    assert found == [
        (Decimal(1), Decimal(100)),
        (Decimal("2.5"), on(side, "99.7")),
        (Decimal("4.5"), on(side, "99.3889")),
    ]


LADDER = with_values(
    Settings(),
    {
        "marketActivityEnabled": False,
        "activeEnabled": False,
        "directionEnabled": False,
        "drawdownRatio": "0.5",
        "marketChangeRange": 1,
        "lastPartRatioFactor": "1.0",
        "stepRelationMaxRatio": "2",
        "gridTakeProfits": ["8"],
        "gridStopLosses": ["0.5"],
        "gridRanges": [4],
        "trailingEnabled": False,
        "dcaEnabled": True,
        "dcaOnly": True,
    },
)


@BOTH
def test_on_paper_the_ladder_steps_at_the_same_prices_and_aims_from_the_same_averages(
    side: Side,
) -> None:
    hundred = 1_000_000
    state = TradeState.fresh([an_instrument(price_tick=Decimal("0.0001"))], LADDER)
    found = []
    for closes in ([hundred - 4100] * 6 + [hundred], [995_000], [990_000]):
        begin = (state.last_close_ms or START_MS) + 60_000  # past the rest between two steps
        candles = candles_of(closes, start_ms=begin)
        candles = candles if side is Side.LONG else mirrored(candles, hundred)
        state, _ = plan_trade(state, candles, LADDER)
        positions = state.positions
        assert len(positions) == 1
        steps = int(positions.adjust[0, STEPS])
        fills = positions.adjust[0, FILLS : FILLS + steps].tolist()
        found.append((fills, side.sign * int(positions.target[0])))

    one, two = (int(on(side, price) * 10_000) for price in ("99.5", "99.0"))
    averages = ("100", "99.7", "99.3889")  # the last one in whole ticks, a bit off the exact one
    aimed = [on(side, average) * (1 + side.sign * Decimal("0.008")) for average in averages]
    assert [fills for fills, _ in found] == [[], [one], [one, two]]
    for (_, target), level in zip(found, aimed, strict=True):
        assert 0 <= side.sign * (target - level * 10_000) < 2


def test_of_301_results_the_newest_250_stay_and_51_are_archived() -> None:
    settings = with_values(Settings(), {"databaseSizeBase": 250, "databaseThresholdPercent": 20})
    results = [(number % 7 + 1) * 10 for number in range(301)]

    full, nothing = booked(results[:300], settings)
    assert (len(full.last_results(0, 0)), len(nothing)) == (300, 0)

    history, archived = booked(results, settings)

    assert history.last_results(0, 0).tolist() == results[51:]
    assert archived["result"].tolist() == results[:51]
