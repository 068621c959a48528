"""The figures of a run are computed from what was stored."""

from dataclasses import replace
from decimal import Decimal

from local.report import (
    Books,
    LoopRun,
    Tick,
    active_ms,
    drift,
    loop_report,
    overlaps,
    takeovers,
)


def a_tick(second: float, *, lasts_ms: int = 10, token: int = 1, taken: float = 0) -> Tick:
    return Tick(
        slot_ms=int(second) * 1000,
        started_us=int(second * 1e6),
        finished_us=int(second * 1e6) + lasts_ms * 1000,
        compute_us=lasts_ms * 500,
        token=token,
        taken_us=int(taken * 1e6),
    )


def test_ticks_of_two_workers_that_intersect_are_counted_once_each() -> None:
    apart = [a_tick(10), a_tick(11)]
    crossing = [*apart, a_tick(11.005, token=2)]

    assert overlaps(apart) == 0
    assert overlaps(crossing) == 1


def test_a_long_tick_overlaps_everything_that_starts_inside_it() -> None:
    assert overlaps([a_tick(10, lasts_ms=2500), a_tick(11), a_tick(12), a_tick(13)]) == 2


def test_time_without_a_lease_is_not_active() -> None:
    first = [a_tick(100, taken=99.5), a_tick(101), a_tick(102)]
    after_a_kill = [a_tick(160, taken=159.0, token=5), a_tick(161, token=5)]

    assert active_ms(first, lease_ms=15_000) == 2_510
    assert active_ms([*first, *after_a_kill], lease_ms=15_000) == 2_510 + 2_010


def test_the_rest_of_a_loop_that_fell_asleep_is_not_active() -> None:
    first = [a_tick(100, taken=99.5), a_tick(101)]
    woken = replace(a_tick(108, taken=107.9, token=3), anew=True)

    assert active_ms([*first, woken], lease_ms=15_000) == 1_510 + 110


def test_a_takeover_is_a_new_token_after_a_silence_longer_than_a_lease() -> None:
    handed_over = [a_tick(100), a_tick(101, token=2)]
    taken_over = [a_tick(100), a_tick(130, token=2)]

    assert takeovers(handed_over, lease_ms=15_000) == 0
    assert takeovers(taken_over, lease_ms=15_000) == 1


def test_jitter_is_measured_from_the_deadline() -> None:
    ticks = [a_tick(100.25), a_tick(101.26), a_tick(102.27)]
    run = LoopRun(interval_ms=1000, offset_ms=250, lease_ms=15_000, ticks=ticks)

    assert loop_report(run)["start_jitter_ms"]["p50"] == 10.0


def test_drift_is_found_in_both_directions() -> None:
    ours = Books(
        orders={"a": "open"},
        fills={"1": Decimal(1)},
        quantities={},
        stops={"BTCUSDT LONG": Decimal(1)},
    )
    venue = Books(orders={"b": "open"}, fills={"1": Decimal(1)}, quantities={}, stops={})

    assert len(drift(ours, ours)) == 0
    assert [line.split(":")[0] for line in drift(ours, venue)] == [
        "orders a",
        "orders b",
        "stops BTCUSDT LONG",
    ]
