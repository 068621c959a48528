"""Requests under the plan, without a socket: whatever may be drawn, drawn again it is the same."""

import hashlib
import hmac
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from tests.wires.scripted import BTC, Stage, a_stage
from tests.wires.test_fault_plan import a_plan

from local.paper.credentials import Credentials
from local.paper.faults.carrying import Carrier, Ending, Outcome, asked_order
from local.paper.faults.kinds import KINDS
from local.paper.venues.binance.wire import BinanceWire
from local.paper.wire import Request

REST_RULES: list[dict[str, Any]] = [
    {"fault": "unknown_result"},
    {"fault": "timeout"},
    {"fault": "bad_gateway"},
    {"fault": "internal_error"},
    {"fault": "accept_then_abort"},
    {"fault": "hang"},
    {"fault": "malformed"},
    {"fault": "delay", "with": {"request_ms": 3, "answer_ms": 5}},
    {"fault": "ban", "with": {"for_ms": 2_000}},
]


class Line:
    """One venue under a plan, and the clock it goes by."""

    def __init__(self, directory: Path, *rules: dict[str, Any], seed: int = 1) -> None:
        self.stage: Stage = a_stage(directory, 100, second=5)
        wire = BinanceWire(self.stage.exchange, Credentials(api_key="key", api_secret="secret"))
        self.plan = a_plan(*rules, seed=seed)
        self.carrier = Carrier(wire, self.plan)

    def ask(self, method: str, path: str, **parameters: object) -> Outcome:
        text = urlencode({"timestamp": self.stage.now_ms()} | parameters)
        signature = hmac.new(b"secret", text.encode(), hashlib.sha256).hexdigest()
        request = Request(
            method=method, path=path, query=f"{text}&signature={signature}",
            headers={"x-mbx-apikey": "key"},
        )  # fmt: skip
        return self.carrier.finish(self.carrier.arrive(request))

    def buy(self, name: str = "mine") -> Outcome:
        return self.ask(
            "POST", "/fapi/v1/order", symbol=BTC, side="BUY", type="MARKET", quantity="0.5",
            newClientOrderId=name,
        )  # fmt: skip


def a_run(directory: Path, seed: int) -> list[Any]:
    """What became of 60 orders under every kind of rule at once."""
    rules = [one | {"chance": 0.2} for one in REST_RULES]
    line, found = Line(directory, *rules, seed=seed), list[Any]()
    for number in range(60):
        line.stage.second = 5 + number
        outcome = line.buy(f"order-{number}")
        found.append((outcome.ending, outcome.wait_ms, outcome.executed, outcome.answer.text))
    return [*found, line.stage.held(), line.plan.report()]


def test_the_same_seed_and_the_same_requests_end_the_same_to_the_last_byte(
    tmp_path: Path,
) -> None:
    first, again = a_run(tmp_path / "a", 3), a_run(tmp_path / "b", 3)

    assert first == again
    assert first != a_run(tmp_path / "c", 4)
    assert len({one[0] for one in first[:60]}) == 3


def test_without_rules_everything_is_answered(tmp_path: Path) -> None:
    outcome = Line(tmp_path).buy()

    assert (outcome.ending, outcome.wait_ms, outcome.executed) == (Ending.ANSWERED, 0, True)
    assert outcome.answer.status == 200


@pytest.mark.parametrize(
    ("fault", "ending", "executed"),
    [
        ("hang", Ending.HUNG, False),
        ("abort", Ending.ABORTED, False),
        ("accept_then_hang", Ending.HUNG, True),
        ("accept_then_abort", Ending.ABORTED, True),
    ],
)
def test_a_line_ends_as_the_fault_has_it(
    tmp_path: Path, fault: str, ending: Ending, executed: bool
) -> None:
    line = Line(tmp_path, {"fault": fault})

    outcome = line.buy()

    assert (outcome.ending, outcome.executed) == (ending, executed)
    assert bool(line.stage.held()) is executed


def test_the_first_rule_words_the_answer_and_waits_add_up(tmp_path: Path) -> None:
    line = Line(
        tmp_path, {"fault": "overloaded"}, {"fault": "rate_limit"},
        {"fault": "delay", "with": {"answer_ms": 5}}, {"fault": "delay", "with": {"answer_ms": 7}},
    )  # fmt: skip

    outcome = line.buy()

    assert (outcome.answer.body["code"], outcome.wait_ms) == (-1008, 12)


def test_what_is_left_to_the_draw_goes_both_ways(tmp_path: Path) -> None:
    line = Line(tmp_path, {"fault": "unknown_result"})

    executed = [line.buy(f"order-{number}").executed for number in range(40)]

    assert 8 < sum(executed) < 32
    assert len(line.stage.exchange.books.orders) == sum(executed)


def test_the_clock_stands_off_for_struck_requests_only_and_never_in_the_books(
    tmp_path: Path,
) -> None:
    line = Line(tmp_path, {"fault": "skew", "nth": 1, "with": {"skew_ms": 9_000}})
    request = Request(method="GET", path="/fapi/v1/time")

    skewed = line.carrier.finish(line.carrier.arrive(request)).answer.body["serverTime"]

    assert skewed - line.stage.now_ms() == 9_000
    assert line.stage.exchange.shown_ms() == line.stage.now_ms()
    assert line.stage.exchange.books.account.processed_ms <= line.stage.now_ms()


def test_moments_strike_only_with_requests_that_are_carried_out(tmp_path: Path) -> None:
    line = Line(
        tmp_path, {"fault": "overloaded", "nth": 1}, {"fault": "flip_position_mode", "nth": 1}
    )

    line.ask("GET", "/fapi/v2/balance")
    assert not line.stage.exchange.books.account.hedge_mode
    line.ask("GET", "/fapi/v2/balance")
    assert line.stage.exchange.books.account.hedge_mode


@pytest.mark.parametrize(
    ("method", "query", "named"),
    [
        ("GET", "symbol=A&origClientOrderId=mine", "mine"),
        ("GET", "category=linear&orderLinkId=mine", "mine"),
        ("GET", "instId=A&clOrdId=mine", "mine"),
        ("GET", "symbol=A", ""),
        ("DELETE", "symbol=A&origClientOrderId=mine", ""),
    ],
)
def test_a_query_names_its_order_in_the_words_of_any_venue(
    method: str, query: str, named: str
) -> None:
    assert asked_order(Request(method=method, path="/order", query=query)) == named


def test_every_trouble_is_of_a_request() -> None:
    assert {one.where for one in KINDS.values() if one.trouble} == {"rest"}
