"""Rules of the fault plan are read strictly, and tell what is wrong with them."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from local.paper.faults.kinds import KINDS, Where
from local.paper.faults.rules import RuleError, read_rule
from local.paper.faults.table import page
from local.paper.wire import Trouble

ROOT = Path(__file__).resolve().parents[2]
VENUES = ("binance", "okx")


def test_a_rule_is_read_with_the_defaults_of_its_kind() -> None:
    rule = read_rule(
        {"fault": "delay", "venue": "okx", "route": "POST *", "nth": 3, "with": {"answer_ms": 20}},
        venues=VENUES,
    )

    assert (rule.venue, rule.route, rule.nth, rule.where) == ("okx", "POST *", 3, Where.REST)
    assert rule.parameters == {"request_ms": 0, "answer_ms": 20}


def test_a_rule_may_say_where_it_strikes_if_that_is_so() -> None:
    assert read_rule({"fault": "drop", "where": "socket"}).where is Where.SOCKET
    with pytest.raises(RuleError, match="where='rest' must be socket"):
        read_rule({"fault": "drop", "where": "rest"})


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("drop", "rule='drop' must be an object"),
        ({}, "fault=None must be one of rate_limit, ban"),
        ({"fault": "fire"}, "fault='fire' must be one of"),
        ({"fault": "drop", "rout": "*"}, "field='rout' must be one of fault, where, with, venue"),
        ({"fault": "drop", "nth": 0}, "nth=0 must be whole number from 1"),
        ({"fault": "drop", "nth": True}, "nth=True must be whole number"),
        ({"fault": "drop", "chance": 1.5}, "chance=1.5 must be number from 0 to 1"),
        ({"fault": "drop", "nth": 1, "every": 2}, "every=2 must be absent when nth is given"),
        ({"fault": "drop", "venue": "kraken"}, "venue='kraken' must be one of"),
        ({"fault": "drop", "route": "GET *"}, "absent: drop strikes socket, not rest or book"),
        ({"fault": "delay", "topic": "x"}, "absent: delay strikes rest, not socket"),
        ({"fault": "drop_pongs", "topic": "x"}, "absent: drop_pongs strikes every pong"),
        ({"fault": "delay", "at_ms": 5}, "absent: delay strikes rest, not book"),
        ({"fault": "delay", "with": 5}, "with=5 must be an object"),
        ({"fault": "delay", "with": {"ms": 5}}, "with='ms' must be of request_ms, answer_ms"),
        ({"fault": "abort", "with": {"ms": 5}}, "with='ms' must be of nothing"),
        ({"fault": "reject"}, "code=None must be text"),
        ({"fault": "skew", "with": {"skew_ms": 1.5}}, "skew_ms=1.5 must be whole number from -8"),
        ({"fault": "close", "with": {"code": 99}}, "code=99 must be whole number from 1000"),
        ({"fault": "timeout", "with": {"executed": "maybe"}}, "must be one of yes, no, draw"),
        ({"fault": "change_filters", "with": {"symbol": "A", "step": "-1"}}, "step='-1' must be"),
        ({"fault": "change_filters", "with": {"symbol": "A", "step": "x"}}, "step='x' must be"),
        ({"fault": "partial_fill", "with": {"schedule": [[60, 0], [60, 1]]}}, "at most 100"),
        ({"fault": "partial_fill", "with": {"schedule": [60, 40]}}, "list of [percent, after ms]"),
    ],
)
def test_a_wrong_rule_is_refused_with_field_value_and_what_is_allowed(
    given: Any, words: str
) -> None:
    with pytest.raises(RuleError) as raised:
        read_rule(given, venues=VENUES)

    assert words in str(raised.value)


def test_every_kind_with_its_defaults_is_a_rule() -> None:
    fillers: dict[type, Any] = {
        int: 1000, float: 1.0, str: "BTCUSDT", list: [[100, 0]], Decimal: "0.5",
    }  # fmt: skip
    for kind in KINDS.values():
        needed = {
            one.name: one.choices[0] if one.choices else fillers[one.type]
            for one in kind.parameters
            if one.default is None
        }
        if kind.name == "change_leverage":
            needed["leverage"] = 5
        rule = read_rule({"fault": kind.name, "with": needed})
        assert set(rule.parameters) == {one.name for one in kind.parameters}


def test_the_page_on_faults_is_current() -> None:
    written = (ROOT / "infra/docs/faults.md").read_text()

    assert written == page(), "write it: python -m local.paper.faults.table > infra/docs/faults.md"


def test_every_kind_is_tried_on_a_client() -> None:
    tried = "".join(one.read_text() for one in (ROOT / "tests/contracts").glob("test_*.py"))

    missing = [name for name in KINDS if f'"{name}"' not in tried]
    assert missing == []


def test_every_trouble_of_a_venue_can_be_asked_for() -> None:
    assert {one.trouble for one in KINDS.values() if one.trouble} == set(Trouble)
