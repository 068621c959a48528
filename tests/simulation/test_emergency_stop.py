"""An emergency stop amid trading, with the worker killed at every step of its way."""

import random

import pytest

from local.simulation.case import Case, CaseResult
from local.simulation.hazards import ORDER_PATH, Act, Hazard
from local.simulation.spec import drawn
from local.simulation.weather import Weather

TRADED_S = 9
PROVED_WITHIN_S = 30


def a_case(seed: int, venue: str) -> Case:
    """A clear sky, and wishes often enough that something is always on its way."""
    spec = drawn(seed, venue)
    spec.weather = Weather(dice=random.Random(0), severity=0)
    spec.hazards, spec.mischief, spec.meddling = (), 0.0, 0.0
    spec.wish_rate, spec.runs_trade, spec.storm_s = 1.5, False, TRADED_S + 12
    return Case(spec)


def stopped(case: Case, *, flatten: bool, hazards: tuple[tuple[str, Act], ...] = ()) -> CaseResult:
    """Trade, press, and let each hazard strike at the next passing of its step."""

    def press() -> None:
        plan = case.plant.hazards
        plan.plan = tuple(
            Hazard(step=step, nth=plan.passed[step] + 1, act=act, for_ms=9_001)
            for step, act in hazards
        )
        case.outside.emergency.press(flatten=flatten, lift_s=5)

    case.cloud.loop.call_later(TRADED_S, press)
    try:
        return case.run(tell=True)
    finally:
        case.stage.bury()


def problems(result: CaseResult) -> object:
    return result.verdict, result.troubles


@pytest.mark.parametrize("flatten", [True, False])
@pytest.mark.parametrize("venue", ["binance", "bybit", "okx"])
def test_it_ends_latched_and_proved_within_seconds(venue: str, flatten: bool) -> None:
    case = a_case(11, venue)

    result = stopped(case, flatten=flatten)

    assert result.is_clean, problems(result)
    assert result.orders_sent > 5
    (taken_s,) = case.outside.emergency.taken_s
    assert 4 < taken_s < 12
    proof = case.outside.emergency.proof
    assert proof is not None
    assert (proof.open_positions == 0) is flatten


@pytest.mark.parametrize("step", ORDER_PATH)
def test_a_worker_killed_at_any_step_of_it_ends_it_no_other_way(step: str) -> None:
    seed = ORDER_PATH.index(step)
    case = a_case(seed, ("binance", "bybit", "okx")[seed % 3])

    result = stopped(case, flatten=True, hazards=((step, Act.DIE),))

    assert result.is_clean, problems(result)
    (taken_s,) = case.outside.emergency.taken_s
    assert taken_s < PROVED_WITHIN_S


@pytest.mark.parametrize("step", ["store.claim after", "place before", "place sent"])
def test_a_worker_that_hangs_and_wakes_up_later_changes_nothing(step: str) -> None:
    case = a_case(3, "binance")

    result = stopped(case, flatten=True, hazards=((step, Act.FREEZE),))

    assert result.is_clean, problems(result)
    assert len(case.outside.emergency.taken_s) == 1
