"""Protections: rests that closed positions cause, by symbol and side or for everything."""

from collections.abc import Sequence
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from tests.builders import NOW_MS

from engine.risk import Candidate, Refusal, protection_refusal
from engine.risk_record import Result
from engine.settings import Settings, with_values
from engine.values import CloseReason, Side

MINUTE = 60_000
BOTH = pytest.mark.parametrize("side", list(Side))
STOP, TARGET = CloseReason.STOP_LOSS, CloseReason.TAKE_PROFIT
NOTHING = {"stopLossGuardCount": 0, "drawdownGuardPercent": 0, "lowProfitCount": 0}


def only(**values: object) -> Settings:
    """Settings under which no protection but the given one acts."""
    return with_values(Settings(), NOTHING | values)


def a_result(
    at_min: float,
    *,
    net: str = "-1",
    side: Side = Side.LONG,
    symbol: str = "BTCUSDT",
    reason: CloseReason = STOP,
) -> Result:
    """Closed that many minutes before now, with 100 bought or sold."""
    return Result(
        position_id=f"{symbol}{side}{at_min}",
        symbol=symbol,
        side=side,
        reason=reason,
        closed_at_ms=NOW_MS - int(at_min * MINUTE),
        notional=Decimal(100),
        net=Decimal(net),
    )


def refusal(
    results: Sequence[Result],
    settings: Settings,
    *,
    side: Side = Side.LONG,
    symbol: str = "BTCUSDT",
    now_ms: int = NOW_MS,
) -> Refusal | None:
    ordered = sorted(results, key=lambda one: one.closed_at_ms)
    candidate = Candidate(symbol=symbol, side=side, equity=Decimal(1000), now_ms=now_ms)
    return protection_refusal(ordered, candidate, settings)


GUARD = {
    "stopLossGuardCount": 3,
    "stopLossGuardWindowMinutes": 60,
    "stopLossGuardPauseMinutes": 30,
}


@BOTH
def test_many_losing_stops_in_the_window_rest_their_symbol_and_side(side: Side) -> None:
    stops = [a_result(minutes, side=side) for minutes in (5, 30, 65)]

    refused = refusal(stops, only(**GUARD), side=side)

    assert refused == Refusal(
        code="stop_loss_guard",
        numbers={"stop_losses": Decimal(3), "limit": Decimal(3), "left_ms": Decimal(25 * MINUTE)},
    )
    assert refusal(stops, only(**GUARD), side=side.opposite) is None
    assert refusal(stops, only(**GUARD), side=side, symbol="ETHUSDT") is None


@BOTH
def test_the_stop_loss_guard_may_rest_everything(side: Side) -> None:
    stops = [
        a_result(5, side=side),
        a_result(6, side=side.opposite),
        a_result(7, symbol="ETHUSDT", side=side),
    ]

    assert refusal(stops, only(**GUARD), side=side) is None
    everything = only(**GUARD, stopLossGuardScope="all")
    assert refusal(stops, everything, symbol="XRPUSDT", side=side) is not None


@pytest.mark.parametrize(
    "stops",
    [
        [a_result(5), a_result(30), a_result(65.1)],  # not within one window
        [a_result(5), a_result(30), a_result(31, reason=TARGET)],
        [a_result(5), a_result(30), a_result(31, net="0.2")],  # a stop that won
        [a_result(30), a_result(40), a_result(50)],  # the rest is over
    ],
)
def test_fewer_or_older_stops_rest_nothing(stops: list[Result]) -> None:
    assert refusal(stops, only(**GUARD)) is None


def test_the_rest_lasts_whatever_is_won_meanwhile_and_ends_on_time() -> None:
    stops = [a_result(minutes) for minutes in (5, 6, 7)]
    later = [*stops, a_result(1, net="50", reason=TARGET)]

    assert refusal(later, only(**GUARD)) is not None
    assert refusal(later, only(**GUARD), now_ms=NOW_MS + 25 * MINUTE - 1) is not None
    assert refusal(later, only(**GUARD), now_ms=NOW_MS + 25 * MINUTE) is None


DRAWDOWN = {
    "drawdownGuardPercent": 5,
    "drawdownGuardCount": 4,
    "drawdownGuardWindowMinutes": 60,
    "drawdownGuardPauseMinutes": 20,
}


@BOTH
def test_results_far_below_their_peak_rest_everything(side: Side) -> None:
    results = [
        a_result(20, net="10", side=side),
        a_result(15, net="-30", side=side),
        a_result(10, net="5", side=side.opposite),
        a_result(5, net="-25", symbol="ETHUSDT", side=side),
    ]

    refused = refusal(results, only(**DRAWDOWN), symbol="XRPUSDT", side=side)

    assert refused == Refusal(
        code="drawdown_guard",
        numbers={
            "drawdown_pct": Decimal(5),
            "limit_pct": Decimal(5),
            "left_ms": Decimal(15 * MINUTE),
        },
    )


def test_too_few_results_or_a_smaller_fall_rest_nothing() -> None:
    few = [a_result(20, net="-60"), a_result(10, net="-1"), a_result(5, net="-1")]
    small = [a_result(minutes, net="-12.4") for minutes in (5, 10, 15, 20)]

    assert refusal(few, only(**DRAWDOWN)) is None
    assert refusal(small, only(**DRAWDOWN)) is None


LOW = {
    "lowProfitCount": 3,
    "lowProfitPercent": "-0.5",
    "lowProfitWindowMinutes": 60,
    "lowProfitPauseMinutes": 40,
}


@BOTH
def test_a_symbol_whose_last_results_average_too_little_rests_on_both_sides(side: Side) -> None:
    results = [
        a_result(30, net="90", side=side),  # not among the last three
        a_result(20, net="-1", side=side),
        a_result(15, net="0.2", side=side.opposite, reason=TARGET),
        a_result(10, net="-0.8", side=side),
    ]

    for tried in Side:
        refused = refusal(results, only(**LOW), side=tried)
        assert refused is not None
        assert refused.code == "low_profit_lock"
        assert refused.numbers["left_ms"] == 30 * MINUTE
        assert refused.numbers["average_pct"].quantize(Decimal("0.001")) == Decimal("-0.533")
    assert refusal(results, only(**LOW), symbol="ETHUSDT") is None


def test_an_average_at_the_limit_is_enough() -> None:
    results = [a_result(minutes, net="-0.5") for minutes in (5, 10, 15)]

    assert refusal(results, only(**LOW)) is None
    assert refusal([*results, a_result(1, net="-0.51")], only(**LOW)) is not None


def test_protections_that_are_off_rest_nothing() -> None:
    ruin = [a_result(minutes, net="-90") for minutes in range(1, 60)]

    assert refusal(ruin, only()) is None


def slow_drawdown(results: Sequence[Result]) -> Decimal:
    """The deepest fall between any two moments, the beginning included."""
    sums = [sum((one.net for one in results[:end]), Decimal(0)) for end in range(len(results) + 1)]
    return max(
        (high - low for at, high in enumerate(sums) for low in sums[at:]), default=Decimal(0)
    )


@examples(max_examples=60)
@given(
    nets=st.lists(
        st.tuples(st.integers(0, 110), st.integers(-40, 30)), max_size=10, unique_by=lambda c: c[0]
    )
)
def test_the_drawdown_guard_ends_when_a_search_over_every_closing_says(
    nets: list[tuple[int, int]],
) -> None:
    settings = only(**DRAWDOWN)
    ordered = [a_result(age, net=str(net)) for age, net in sorted(nets, reverse=True)]

    refused = refusal(ordered, settings)

    ends = [0]
    for last in ordered:
        window = [
            one
            for one in ordered
            if last.closed_at_ms - 60 * MINUTE <= one.closed_at_ms <= last.closed_at_ms
        ]
        if len(window) >= 4 and slow_drawdown(window) >= 50:
            ends.append(last.closed_at_ms + 20 * MINUTE)
    assert (refused.numbers["left_ms"] if refused else 0) == max(max(ends) - NOW_MS, 0)


def slow_stop_guard_end(results: Sequence[Result], settings: Settings) -> int:
    """When the rest of the stop-loss guard ends, by looking at every closing by itself."""
    window_ms = settings.stop_guard_window_min * MINUTE
    ends = [
        last.closed_at_ms + settings.stop_guard_pause_min * MINUTE
        for last in results
        if settings.stop_guard_count
        <= sum(
            last.closed_at_ms - window_ms <= one.closed_at_ms <= last.closed_at_ms
            for one in results
        )
    ]
    return max(ends, default=0)


@examples(max_examples=60)
@given(ages=st.lists(st.integers(0, 150), max_size=12, unique=True))
def test_the_guard_ends_when_a_search_over_every_closing_says(ages: list[int]) -> None:
    settings = only(**GUARD)
    results = sorted((a_result(age) for age in ages), key=lambda one: one.closed_at_ms)

    refused = refusal(results, settings)

    left_ms = slow_stop_guard_end(results, settings) - NOW_MS
    assert (refused.numbers["left_ms"] if refused else 0) == max(left_ms, 0)
