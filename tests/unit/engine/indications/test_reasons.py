"""Why a slot did not signal, told with the numbers that decided."""

import numpy as np
import pytest
from tests.indicating import both_sides, indicated
from tests.market import candles_of, mirrored, with_gaps

from engine.errors import InvalidCandleError
from engine.indications.filters import Verdict
from engine.indications.quantities import WORDINGS, Quantity
from engine.indications.reasons import explain, sentence
from engine.indications.signals import IndicationState
from engine.indications.slots import Slot
from engine.market import Candles
from engine.settings import Settings, with_values
from engine.values import IndicationType, Side, Variant

ENTRY = 1_000_000
LENIENT: dict[str, object] = {
    "marketActivityEnabled": False,
    "drawdownRatio": "0.5",
    "marketChangeRange": 1,
    "lastPartRatioFactor": "1.0",
}


def facing(moves: list[int], side: Side) -> Candles:
    """Closes from 100 in moves of thousandths of a percent; upside down for a short."""
    path = candles_of([ENTRY, *(ENTRY + np.cumsum(moves) * 10).tolist()])
    return path if side is Side.LONG else mirrored(path, ENTRY)


def told(
    moves: list[int], side: Side, slot: Slot, **values: object
) -> tuple[object, object, object, object]:
    """What is told of the slot on the last candle."""
    rules = with_values(Settings(), {**LENIENT, **values})
    candles = facing(moves, side)
    (reason,) = explain(IndicationState.fresh(1, 1), candles, (slot,), rules)
    return (
        Verdict(int(reason["verdict"])),
        Quantity(int(reason["quantity"])),
        pytest.approx(float(reason["found"]), abs=1e-6),
        float(reason["needed"]),
    )


def slot_of(kind: IndicationType, parameter: int, side: Side, tuned: str = "") -> Slot:
    variant = Variant.of(tuned)
    return Slot(indication=kind, parameter=parameter, side=side, variant=variant)


QUIET = [0, 1, 0, -1, 0]


@pytest.mark.parametrize("side", Side)
@pytest.mark.parametrize(
    ("moves", "quantity", "found", "needed"),
    [
        ([*QUIET, 101, 101, 50], Quantity.STEP, 0.5, 1),
        ([*QUIET, 101, 101, -110], Quantity.WAY, 0, 1),
        ([*QUIET, 101, 110], Quantity.RUN, 2, 3),
        ([*QUIET, 101, *[0] * 70, 101, 110], Quantity.LASTED, 72, 60),
    ],
)
def test_it_is_told_how_far_move_was_from_a_leg(
    side: Side, moves: list[int], quantity: Quantity, found: float, needed: float
) -> None:
    verdict, what, was, asked = told(moves, side, slot_of(IndicationType.MOVE, 3, side))

    assert (verdict, what, asked) == (Verdict.NO_LEG, quantity, needed)
    assert was == pytest.approx(found, abs=0.04)


@pytest.mark.parametrize("side", Side)
def test_it_is_told_which_run_direction_was_missing(side: Side) -> None:
    short_run = [*QUIET, -101, -110, 0, 130]
    slow_turn = [*QUIET, -101, -101, -110, 0, 130]
    slot = slot_of(IndicationType.DIRECTION, 3, side)

    assert told(short_run, side, slot) == (Verdict.NO_LEG, Quantity.RUN_BEFORE, 2, 3)
    late = told(slow_turn, side, slot, directionConfirmRatio="0.65")
    assert late == (Verdict.NO_LEG, Quantity.RUN, 1, 2)


@pytest.mark.parametrize("side", Side)
@pytest.mark.parametrize(
    ("tuned", "verdict", "quantity", "needed"),
    [
        ("m10", Verdict.MARKET_CHANGE, Quantity.MARKET_CHANGE, 0.15004),
        ("p250", Verdict.LAST_PART, Quantity.LAST_PART, 2.5),
        ("", Verdict.SIGNAL, Quantity.MARKET_CHANGE, 0.01),
    ],
)
def test_the_numbers_of_a_filter_are_those_of_the_leg_and_of_the_slot(
    side: Side, tuned: str, verdict: Verdict, quantity: Quantity, needed: float
) -> None:
    # 25 s and 0.312 %: 0.1248 % in 10 s; the last 5 of them 0.11 %: 1.763 times as fast
    moves = [*[0] * 4, 101, *[0] * 9, 101, *[0] * 9, 110]

    what = told(moves, side, slot_of(IndicationType.MOVE, 3, side, tuned))

    assert what[:2] == (verdict, quantity)
    assert what[3] == pytest.approx(needed)
    expected = {Quantity.MARKET_CHANGE: 0.1248, Quantity.LAST_PART: 1.763}[quantity]
    assert what[2] == pytest.approx(expected, abs=0.01)


@pytest.mark.parametrize("side", Side)
def test_a_drawdown_is_told_in_percent_of_the_leg(side: Side) -> None:
    moves = [*[0] * 60, 500, 400, -200]  # 0.9 % up, 0.2 % of it given back

    slot = slot_of(IndicationType.ACTIVE, 50, side, "d20")
    verdict, quantity, was, needed = told(moves, side, slot)

    assert (verdict, quantity, needed) == (Verdict.DRAWDOWN, Quantity.DRAWDOWN, 20)
    assert was == pytest.approx(100 * 200 / 900, abs=0.01)


@pytest.mark.parametrize("side", Side)
def test_warming_switched_off_and_a_sleeping_market_come_first(side: Side) -> None:
    slot = slot_of(IndicationType.ACTIVE, 50, side)
    moves = [*[0] * 60, 100, 150, 260]

    warming = told(moves[40:], side, slot)
    off = told(moves[40:], side, slot, activeEnabled=False)
    asleep = told([*moves, *[0] * 20], side, slot, marketActivityEnabled=True)

    assert warming == (Verdict.WARMING, Quantity.HISTORY, 24, 61)
    assert off == (Verdict.DISABLED, Quantity.ENABLED, 0, 1)
    assert asleep == (Verdict.INACTIVE, Quantity.LIVELINESS, 0, 0.01)


@pytest.mark.parametrize("side", Side)
def test_a_slot_that_rests_says_since_when(side: Side) -> None:
    moves = [*QUIET, 101, 101, 110, *[0] * 9, 110]

    again = told(moves, side, slot_of(IndicationType.MOVE, 3, side))

    assert again == (Verdict.VALIDATION, Quantity.REST, 10, 15)


@pytest.mark.parametrize("side", Side)
def test_optimal_says_when_another_type_spoke_against_it(side: Side) -> None:
    candles = facing([0, 0, -101, -101, -110, *[0] * 5, 130], side)
    slots = (
        *both_sides(IndicationType.MOVE, (3,)),
        slot_of(IndicationType.OPTIMAL, 3, side),
    )
    rules = with_values(Settings(), {**LENIENT, "optimalEnabled": True})

    reasons = explain(IndicationState.fresh(1, 3), candles, slots, rules)

    assert reasons[2].tolist()[2:] == (Verdict.DISAGREEMENT, Quantity.DISAGREEMENT, 6.0, 15.0)


def test_a_reason_is_a_plain_sentence() -> None:
    slot = slot_of(IndicationType.MOVE, 3, Side.LONG, "m10")
    rules = with_values(Settings(), LENIENT)
    candles = facing([*[0] * 4, 101, *[0] * 9, 101, *[0] * 9, 110], Side.LONG)

    (reason,) = explain(IndicationState.fresh(1, 1), candles, (slot,), rules)

    assert sentence(reason, "BTCUSDT", slot) == (
        "BTCUSDT move 3 m10 LONG: too slow a market change; mean change in the normal time was "
        "0.1248 %, at least 0.15004 % is needed"
    )
    assert set(WORDINGS) == set(Quantity)


def test_a_gap_is_too_little_to_say_more_of() -> None:
    slot = slot_of(IndicationType.MOVE, 3, Side.LONG)
    candles = facing([*QUIET, 101, 101, 110], Side.LONG)
    gaps = np.zeros((len(candles), 1), np.bool_)
    gaps[-1] = True

    rules = with_values(Settings(), LENIENT)
    (reason,) = explain(IndicationState.fresh(1, 1), with_gaps(candles, gaps), (slot,), rules)

    assert reason["verdict"] == Verdict.WARMING


def test_no_candle_explains_nothing() -> None:
    slots = both_sides(IndicationType.MOVE, (3,))
    candles = facing([0, 0], Side.LONG)

    with pytest.raises(InvalidCandleError, match="must not be empty"):
        explain(IndicationState.fresh(1, 2), candles.rows(0, 0), slots, Settings())


def test_every_slot_of_every_symbol_is_told_of_and_the_state_is_left_alone() -> None:
    slots = both_sides(IndicationType.MOVE, (3, 5))
    both = candles_of([[ENTRY, ENTRY + bar] for bar in range(20)], symbols=("AUSDT", "BUSDT"))
    state, _, _ = indicated(both.rows(0, 10), slots, Settings())
    before = state.arrays()

    reasons = explain(state, both.rows(10, 20), slots, Settings())

    pairs = list(zip(reasons["symbol"].tolist(), reasons["slot"].tolist(), strict=True))
    assert pairs == [(symbol, slot) for symbol in range(2) for slot in range(4)]
    assert all(np.array_equal(before[name], array) for name, array in state.arrays().items())
