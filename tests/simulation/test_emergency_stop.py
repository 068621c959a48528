"""An emergency stop amid trading, with the worker killed at every step of its way."""

import gc
import random
import warnings

import pytest

from engine.desk import HaltProof
from engine.ledger import PositionStatus
from local.simulation.case import Case, CaseResult
from local.simulation.hazards import ORDER_PATH, Act, Hazard
from local.simulation.spec import drawn
from local.simulation.weather import Weather

VENUES = ("binance", "bybit", "okx")
TRADED_S = 9
PROVED_WITHIN_S = 30


def a_case(seed: int, venue: str) -> Case:
    """A clear sky, and wishes often enough that something is always on its way."""
    spec = drawn(seed, venue)
    spec.weather = Weather(dice=random.Random(0), severity=0)
    spec.hazards, spec.mischief, spec.meddling = (), 0.0, 0.0
    spec.wish_rate, spec.runs_trade, spec.storm_s = 1.5, False, TRADED_S + 12
    return Case(spec)


def press_when_trading(case: Case, *, flatten: bool, hazards: tuple[tuple[str, Act], ...]) -> None:
    """Press once a position is open; each hazard strikes at the next passing of its step."""

    def press() -> None:
        held = case.plant.store.positions.values()
        if not any(position.status is PositionStatus.OPEN for position in held):
            case.cloud.loop.call_later(0.2, press)
            return
        plan = case.plant.hazards
        plan.plan = tuple(
            Hazard(step=step, nth=plan.passed[step] + 1, act=act, for_ms=9_001)
            for step, act in hazards
        )
        case.outside.emergency.press(flatten=flatten, lift_s=5)

    case.cloud.loop.call_later(TRADED_S, press)


def stopped(
    seed: int, venue: str, *, flatten: bool = True, hazards: tuple[tuple[str, Act], ...] = ()
) -> tuple[CaseResult, float, HaltProof | None]:
    """The case's result, how long its one emergency stop took, and what was proved."""
    with warnings.catch_warnings():
        # A worker that dies leaves calls it had not begun.
        warnings.filterwarnings("ignore", "coroutine .* was never awaited", RuntimeWarning)
        case = a_case(seed, venue)
        press_when_trading(case, flatten=flatten, hazards=hazards)
        result = case.run(tell=True)
        (taken_s,), proof = case.outside.emergency.taken_s, case.outside.emergency.proof
        case.stage.bury()
        del case
        gc.collect()
    assert result.is_clean, (result.verdict, result.troubles)
    return result, taken_s, proof


@pytest.mark.parametrize(
    ("venue", "flatten"), [*((venue, True) for venue in VENUES), ("bybit", False)]
)
def test_it_ends_latched_and_proved_within_seconds(venue: str, flatten: bool) -> None:
    result, taken_s, proof = stopped(11, venue, flatten=flatten)

    assert result.orders_sent > 5
    assert 4 < taken_s < 12
    assert proof is not None
    assert (proof.open_positions == 0) is flatten


@pytest.mark.parametrize("step", ORDER_PATH)
def test_a_worker_killed_at_any_step_of_it_ends_it_no_other_way(step: str) -> None:
    seed = ORDER_PATH.index(step)

    _, taken_s, proof = stopped(seed, VENUES[seed % 3], hazards=((step, Act.DIE),))

    assert taken_s < PROVED_WITHIN_S
    assert proof is not None
    assert proof.open_positions == 0


@pytest.mark.parametrize("step", ["store.claim after", "place before"])
def test_a_worker_that_hangs_and_wakes_up_later_changes_nothing(step: str) -> None:
    _, _, proof = stopped(3, "binance", hazards=((step, Act.FREEZE),))

    assert proof is not None
    assert proof.open_positions == 0
