"""Frames of one socket under the plan."""

from typing import Any

import pytest
from tests.wires.test_fault_plan import NOW_MS, a_plan

from local.paper.faults.lanes import Lane, is_ping


def a_lane(*rules: dict[str, Any]) -> Lane:
    return Lane("okx", a_plan(*rules))


def sent(lane: Lane, *texts: str, topic: str = "tickers", now_ms: int = NOW_MS) -> list[str]:
    return [frame for text in texts for frame in lane.take(topic, text, now_ms).frames]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ({"fault": "drop", "nth": 2}, ["one", "three", "four"]),
        ({"fault": "duplicate", "nth": 2}, ["one", "two", "two", "three", "four"]),
        ({"fault": "malformed_frame", "nth": 3}, ["one", "two", "th", "four"]),
        ({"fault": "reorder", "nth": 1}, ["two", "one", "three", "four"]),
        ({"fault": "reorder", "nth": 1, "with": {"by": 2}}, ["two", "three", "one", "four"]),
        ({"fault": "mute", "nth": 2}, ["one"]),
        ({"fault": "drop", "topic": "private*"}, ["one", "two", "three", "four"]),
    ],
)
def test_frames_pass_as_the_rule_has_it(rule: dict[str, Any], expected: list[str]) -> None:
    assert sent(a_lane(rule), "one", "two", "three", "four") == expected


def test_a_late_frame_comes_when_its_time_has_come() -> None:
    lane = a_lane({"fault": "delay_frame", "nth": 1, "with": {"by_ms": 30}})

    assert sent(lane, "one", "two") == ["two"]
    assert lane.due(NOW_MS + 29) == ()
    assert lane.due(NOW_MS + 30) == ("one",)
    assert not lane.is_busy


def test_a_reordered_frame_that_nobody_follows_comes_after_a_second() -> None:
    lane = a_lane({"fault": "reorder", "nth": 1})

    assert sent(lane, "one") == []
    assert lane.due(NOW_MS + 1_000) == ("one",)


def test_silence_ends_and_is_of_its_topic_alone() -> None:
    lane = a_lane({"fault": "mute", "topic": "tick*", "nth": 1, "with": {"for_ms": 50}})

    assert sent(lane, "one", "two") == []
    assert sent(lane, "book", topic="books") == ["book"]
    assert sent(lane, "late", now_ms=NOW_MS + 50) == ["late"]


def test_a_close_follows_its_frame_and_a_cut_is_told() -> None:
    closed = a_lane({"fault": "close", "with": {"code": 1006}}).take("a", "one", NOW_MS)
    cut = a_lane({"fault": "abort_socket"}).take("a", "one", NOW_MS)

    assert (closed.frames, closed.code, closed.is_cut) == (("one",), 1006, False)
    assert cut.is_cut


def test_pongs_are_dropped_by_their_own_rule() -> None:
    lane = a_lane({"fault": "drop_pongs", "nth": 2})

    assert [lane.answers_ping(NOW_MS) for _ in range(3)] == [True, False, True]


@pytest.mark.parametrize(
    ("text", "expected"),
    [("ping", True), ('{"op": "ping"}', True), ('{"op":"subscribe"}', False), ("pong", False)],
)
def test_pings_of_the_venues_are_known(text: str, expected: bool) -> None:
    assert is_ping(text) is expected
