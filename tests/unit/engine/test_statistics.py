from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from engine.settings import Settings, with_values
from engine.statistics import TIMES, WINDOW, Stage, Standing, Status, advance, drawdown_time

WIN, LOSS = 690, -510
HOUR_MS = 3_600_000


def spread(wins: int, count: int) -> list[int]:
    """Wins and losses, as evenly mixed as they go."""
    return [WIN if (i + 1) * wins // count > i * wins // count else LOSS for i in range(count)]


def standing(
    results: int, status: Status = Status.EVALUATING, stage: Stage = Stage.BASE, mask: int = 0
) -> Standing:
    def column(value: int, kind: type = np.int64) -> np.ndarray:
        return np.array([value], kind)

    return Standing(
        status=column(status, np.int8),
        stage=column(stage, np.int8),
        results=column(results),
        main_mask=column(mask),
        filtered=column(0, np.bool_),
        underwater_ms=column(0),
    )


def after(
    results: Sequence[int],
    status: Status = Status.EVALUATING,
    *,
    mask: int = 0,
    apart_ms: int = 60_000,
    count: int | None = None,
    preset: bool = False,
    **values: object,
) -> Standing:
    """Standing once the newest of `results` has come, from `status` before it."""
    window = np.zeros((1, WINDOW), np.int16)
    newest = results[-WINDOW:]
    window[0, WINDOW - len(newest) :] = newest
    known = min(len(results), TIMES)
    times = np.zeros((1, TIMES), np.int64)
    times[0, TIMES - known :] = apart_ms * np.arange(1, known + 1)
    before = standing((count or len(results)) - 1, status, mask=mask)
    settings = with_values(Settings(), values)
    from_main, is_preset = np.array([bool(mask)]), np.array([preset])
    return advance(before, window, times, from_main, is_preset, settings)


@pytest.mark.parametrize(("wins", "status"), [(3, Status.FAILED), (4, Status.CONFIRMING)])
def test_the_first_check_at_ten_results_asks_40_percent_wins(wins: int, status: Status) -> None:
    assert after(spread(wins, 10)).status[0] == status
    assert after(spread(wins, 10)[:9]).status[0] == Status.EVALUATING


@pytest.mark.parametrize(("wins", "status"), [(23, Status.ACTIVE), (22, Status.PAUSED)])
def test_the_second_check_at_fifty_asks_45_percent_and_wins_larger_than_losses(
    wins: int, status: Status
) -> None:
    assert after(spread(wins, 50), Status.CONFIRMING).status[0] == status
    assert after(spread(wins, 50)[:49], Status.CONFIRMING).status[0] == Status.CONFIRMING


def test_the_second_check_pauses_a_set_whose_wins_are_too_small() -> None:
    small = [600 if r == WIN else r for r in spread(30, 50)]  # 600 / 510 < 1.2

    assert after(small, Status.CONFIRMING).status[0] == Status.PAUSED


@pytest.mark.parametrize(
    ("wins", "before", "status"),
    [
        (18, Status.ACTIVE, Status.PAUSED),
        (22, Status.ACTIVE, Status.ACTIVE),
        (22, Status.PAUSED, Status.ACTIVE),
        (21, Status.PAUSED, Status.PAUSED),
    ],
)
def test_later_a_set_pauses_below_38_and_resumes_from_43_percent(
    wins: int, before: Status, status: Status
) -> None:
    rolling = [2 * r if r > 0 else r for r in spread(wins, 50)]

    assert after(rolling, before, count=80).status[0] == status


def test_a_drawdown_past_30_percent_of_the_gains_pauses() -> None:
    results = [WIN] * 40 + [-1000] * 10

    assert after(results, Status.ACTIVE, count=60).status[0] == Status.PAUSED
    assert after([-100] * 10 + [WIN] * 40, Status.ACTIVE, count=60).status[0] == Status.ACTIVE


def test_a_failed_set_begins_a_new_epoch_with_its_next_result() -> None:
    standing_ = after([WIN], Status.FAILED, mask=0b1111, count=11)

    assert (standing_.status[0], standing_.results[0]) == (Status.EVALUATING, 1)
    assert standing_.main_mask[0] == 1


def test_main_asks_ten_results_and_good_averages_and_a_winning_state() -> None:
    good = spread(7, 10)

    assert after(good).stage[0] == Stage.MAIN
    assert after(good[1:]).stage[0] == Stage.BASE
    assert after([*good[:8], LOSS, LOSS]).stage[0] == Stage.BASE
    assert after([45] * 9 + [49]).stage[0] == Stage.BASE
    assert after([50] * 10).stage[0] == Stage.MAIN


def test_real_asks_ten_of_the_last_twenty_entries_at_main() -> None:
    results = [60] * 20

    assert after(results, Status.CONFIRMING, mask=0b111_1111_11).stage[0] == Stage.REAL
    assert after(results, Status.CONFIRMING, mask=0b11_1111_11).stage[0] == Stage.MAIN
    assert after([59] * 20, Status.CONFIRMING, mask=(1 << 20) - 1).stage[0] == Stage.MAIN


def test_the_exchange_asks_thirty_results() -> None:
    every = (1 << 20) - 1

    assert after([60] * 29, Status.CONFIRMING, mask=every).stage[0] == Stage.REAL
    assert after([60] * 30, Status.CONFIRMING, mask=every).stage[0] == Stage.EXCHANGE


@pytest.mark.parametrize(("win", "stage"), [(1250, Stage.REAL), (1252, Stage.EXCHANGE)])
def test_the_exchange_asks_gross_wins_of_1_1_gross_losses(win: int, stage: Stage) -> None:
    results = [-1300] * 6 + [win, -1300] * 8 + [win] * 8  # 16 wins, 14 losses

    assert after(results, Status.CONFIRMING, mask=(1 << 20) - 1).stage[0] == stage


def test_a_paused_set_holds_no_stage() -> None:
    assert after([60] * 30, Status.PAUSED, mask=(1 << 20) - 1, count=20).status[0] == Status.ACTIVE
    losing = [-1] * 40 + [60] * 10

    assert after(losing, Status.ACTIVE, mask=(1 << 20) - 1, count=70).stage[0] == Stage.BASE


@pytest.mark.parametrize("preset", [False, True])
@pytest.mark.parametrize(
    ("hours", "stage"),
    [(5, Stage.EXCHANGE), (6, Stage.REAL), (12, Stage.REAL), (13, Stage.MAIN)],
)
def test_results_below_their_peak_for_too_long_hold_a_set_back(
    hours: int, stage: Stage, preset: bool
) -> None:
    results = [200] * 15 + [-10, 3, 3, 200] + [200] * 11

    found = after(
        results,
        Status.CONFIRMING,
        mask=(1 << 20) - 1,
        apart_ms=hours * HOUR_MS // 3,
        preset=preset,
    ).stage[0]

    assert found == stage


@pytest.mark.parametrize(
    ("key", "value"), [("profitFactorMinPreset", "0.7"), ("drawdownTimePreset", 60)]
)
def test_the_exchange_asks_of_each_mode_what_its_own_settings_say(key: str, value: object) -> None:
    results = [60] * 20 + [-1, 121] + [60] * 8
    every = (1 << 20) - 1
    asked: dict[str, Any] = {key: value}

    def reached(*, preset: bool) -> int:
        proven = after(
            results, Status.CONFIRMING, mask=every, apart_ms=2 * HOUR_MS, preset=preset, **asked
        )
        return int(proven.stage[0])

    assert reached(preset=False) == Stage.EXCHANGE
    assert reached(preset=True) == Stage.REAL


@pytest.mark.parametrize(
    ("key", "in_preset", "in_main"),
    [
        ("baseProfitFactorPreset", Stage.BASE, Stage.EXCHANGE),
        ("mainProfitFactorPreset", Stage.BASE, Stage.EXCHANGE),
        ("realProfitFactorPreset", Stage.MAIN, Stage.EXCHANGE),
        ("profitFactorMinPreset", Stage.REAL, Stage.EXCHANGE),
        ("baseProfitFactor", Stage.EXCHANGE, Stage.BASE),
        ("mainProfitFactor", Stage.EXCHANGE, Stage.BASE),
        ("realProfitFactor", Stage.EXCHANGE, Stage.MAIN),
        ("profitFactorMinMain", Stage.EXCHANGE, Stage.REAL),
    ],
)
def test_each_stage_asks_of_each_mode_what_its_own_settings_say(
    key: str, in_preset: Stage, in_main: Stage
) -> None:
    asked: dict[str, Any] = {key: "0.7"}
    every = (1 << 20) - 1

    def reached(*, preset: bool) -> Stage:
        proven = after([65] * 30, Status.CONFIRMING, mask=every, preset=preset, **asked)
        return Stage(int(proven.stage[0]))

    assert reached(preset=True) is in_preset
    assert reached(preset=False) is in_main


@pytest.mark.parametrize(
    ("mode", "last_three", "passes"),
    [
        ("majority", (90, -1, 90), True),
        ("majority", (90, -1, -1), False),
        ("all", (90, 90, 90), True),
        ("all", (90, 90, -1), False),
        ("all", (-1, 90, 90), False),
        ("last", (-1, -1, 90), True),
        ("last", (90, 90, -1), False),
        ("last", (90, 90, 0), False),
    ],
)
def test_the_last_state_is_a_majority_or_all_or_the_last_result(
    mode: str, last_three: tuple[int, ...], passes: bool
) -> None:
    found = after([300] * 10 + list(last_three), lastStateMode=mode).stage[0]

    assert found == (Stage.MAIN if passes else Stage.BASE)


def test_drawdown_time_runs_from_leaving_the_peak_to_regaining_it() -> None:
    r = np.array([[100, -50, -10, 60, 10, -5], [-10, 5, 5, 20, 1, 1]])
    times = np.array([[1, 2, 4, 8, 16, 32], [1, 2, 3, 5, 8, 9]])

    longest, since = drawdown_time(r, times)

    assert longest.tolist() == [6, 2]
    assert since.tolist() == [32, 0]


def test_a_set_far_below_its_peak_is_filtered_for_entry() -> None:
    settings = Settings()
    assert settings.set_drawdown_ratio * 10 == 3

    assert not after([100] * 10 + [-299]).filtered[0]
    assert after([100] * 10 + [-301]).filtered[0]
    assert not after([-301] * 9).filtered[0]


def test_the_reference_example_of_the_phases() -> None:
    """3 of 10 wins fail, 4 do not; 23 of 50 at 6.9 to 5.1 are active; 37 % pauses, 43 % resumes."""

    def status(wins: int, count: int, before: Status, of: int) -> Status:
        results = [2 * r if r > 0 and count > 50 else r for r in spread(wins, of)]
        return Status(int(after(results, before, count=count).status[0]))

    assert status(3, 10, Status.EVALUATING, 10) is Status.FAILED
    assert status(4, 10, Status.EVALUATING, 10) is Status.CONFIRMING
    assert round(WIN / -LOSS, 3) == 1.353
    assert 23 / 50 == 0.46
    assert status(23, 50, Status.CONFIRMING, 50) is Status.ACTIVE
    assert status(50 * 37 // 100, 80, Status.ACTIVE, 50) is Status.PAUSED
    assert status(-(-50 * 43 // 100), 90, Status.PAUSED, 50) is Status.ACTIVE
