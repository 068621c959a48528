"""The plan: the same seed and the same calls give the same strikes, counted."""

from typing import Any

import pytest

from local.paper.faults import FaultPlan, read_rule

NOW_MS = 1_700_000_000_000


def a_plan(*rules: dict[str, Any], seed: int = 1) -> FaultPlan:
    return FaultPlan(seed, [read_rule(one) for one in rules])


def struck(plan: FaultPlan, count: int, *, path: str = "/order", step_ms: int = 0) -> list[int]:
    """Numbers of the requests, from 1, that a fault struck."""
    return [
        number
        for number in range(1, count + 1)
        if plan.on_request("binance", "POST", path, NOW_MS + number * step_ms)
    ]


@pytest.mark.parametrize(
    ("selector", "expected"),
    [
        ({}, [1, 2, 3, 4, 5, 6]),
        ({"nth": 3}, [3]),
        ({"every": 2}, [2, 4, 6]),
        ({"most": 2}, [1, 2]),
        ({"every": 2, "most": 1}, [2]),
        ({"chance": 0}, []),
    ],
)
def test_selectors_choose_the_strikes(selector: dict[str, Any], expected: list[int]) -> None:
    assert struck(a_plan({"fault": "abort"} | selector), 6) == expected


def test_the_same_seed_strikes_the_same_and_another_does_not() -> None:
    rule = {"fault": "abort", "chance": 0.3}
    first = struck(a_plan(rule, seed=5), 400)

    assert struck(a_plan(rule, seed=5), 400) == first
    assert struck(a_plan(rule, seed=6), 400) != first
    assert 80 < len(first) < 160


def test_a_rule_draws_alike_whatever_else_is_asked_in_between() -> None:
    rule = {"fault": "abort", "route": "POST /order", "chance": 0.3}
    alone, among = a_plan(rule), a_plan(rule)
    expected = struck(alone, 100)

    found = []
    for number in range(1, 101):
        among.on_request("binance", "GET", "/time", NOW_MS)
        among.on_frame("binance", "btcusdt@trade", NOW_MS)
        found += [number] if among.on_request("binance", "POST", "/order", NOW_MS) else []

    assert found == expected


def test_a_rule_strikes_its_venue_route_and_time_alone() -> None:
    plan = a_plan(
        {
            "fault": "abort", "venue": "okx", "route": "POST /order*", "from_ms": NOW_MS,
            "until_ms": NOW_MS + 10,
        }
    )  # fmt: skip

    def is_struck(venue: str, method: str, path: str, now_ms: int) -> bool:
        return bool(plan.on_request(venue, method, path, now_ms))

    assert is_struck("okx", "POST", "/orders", NOW_MS)
    assert not is_struck("binance", "POST", "/orders", NOW_MS)
    assert not is_struck("okx", "GET", "/orders", NOW_MS)
    assert not is_struck("okx", "POST", "/time", NOW_MS)
    assert not is_struck("okx", "POST", "/orders", NOW_MS - 1)
    assert not is_struck("okx", "POST", "/orders", NOW_MS + 10)


def test_a_ban_is_for_every_request_until_its_end_and_counts_them() -> None:
    plan = a_plan({"fault": "ban", "nth": 2, "with": {"for_ms": 30}})

    assert struck(plan, 8, step_ms=10) == [2, 3, 4]
    (row,) = plan.report()
    assert (row["strikes"], row["while_lasting"]) == (1, 2)


def test_a_ban_tells_its_end() -> None:
    plan = a_plan({"fault": "ban", "with": {"for_ms": 30}})

    ends = [plan.on_request("okx", "GET", "/", NOW_MS + ms)[0].until_ms for ms in (0, 10)]

    assert ends == [NOW_MS + 30, NOW_MS + 30]


def test_not_found_is_counted_for_each_order_by_its_name() -> None:
    plan = a_plan({"fault": "not_found_for", "with": {"times": 2}})

    def is_missing(name: str) -> bool:
        return bool(plan.on_request("okx", "GET", "/order", NOW_MS, named=name))

    assert [is_missing(name) for name in "aabab"] == [True, True, True, False, True]
    assert not is_missing("a")
    assert not is_missing("")


def test_several_rules_may_strike_one_request() -> None:
    plan = a_plan({"fault": "delay"}, {"fault": "abort"}, {"fault": "drop"})

    found = plan.on_request("okx", "GET", "/", NOW_MS)

    assert [one.kind for one in found] == ["delay", "abort"]


def test_a_moment_comes_once_to_each_venue() -> None:
    plan = a_plan({"fault": "flip_position_mode", "at_ms": NOW_MS})

    assert plan.due("okx", NOW_MS - 1) == ()
    assert len(plan.due("okx", NOW_MS + 5)) == 1
    assert plan.due("okx", NOW_MS + 6) == ()
    assert len(plan.due("bybit", NOW_MS + 6)) == 1
    assert not plan.on_books("okx", "POST", "/order", NOW_MS + 7)


def test_opening_sockets_and_pongs_are_met_by_their_own_kinds_only() -> None:
    plan = a_plan({"fault": "drop"}, {"fault": "drop_pongs"}, {"fault": "refuse_connect"})

    assert [one.kind for one in plan.on_frame("okx", "pong", NOW_MS)] == ["drop_pongs"]
    assert [one.kind for one in plan.on_frame("okx", "connect", NOW_MS)] == ["refuse_connect"]
    assert [one.kind for one in plan.on_frame("okx", "tickers", NOW_MS)] == ["drop"]


def test_a_cleared_plan_strikes_no_more_and_a_new_seed_stays() -> None:
    plan = a_plan({"fault": "abort"})
    plan.clear(9)

    assert struck(plan, 3) == []
    assert plan.report() == []
    assert plan.seed == 9
