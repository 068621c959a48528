"""Rules of alerts that need no table: what loops said needs eyes, and too many errors."""

from typing import Any

import pytest

from adapters.monitoring.alerts import Severity
from adapters.monitoring.entries import Category, Entry, Level, level_of
from adapters.monitoring.exporting import text_of
from adapters.monitoring.rollup import added
from adapters.monitoring.rules import ERRORS, alarms, too_many_errors


def an_entry(message: str, **changes: Any) -> Entry:
    known: dict[str, Any] = {
        "at_ms": 1,
        "level": Level.ERROR,
        "category": Category.TRADE_ENGINE,
        "values": {"order": "o1"},
        "connection_id": "c1",
        "needs_eyes": True,
    }
    return Entry(message=message, **(known | changes))


@pytest.mark.parametrize(
    ("message", "severity"),
    [
        ("unprotected", Severity.CRITICAL),
        ("entry_unheard", Severity.CRITICAL),
        ("unreconciled", Severity.HIGH),
        ("candles are gaps", Severity.MEDIUM),
        ("residue_left", Severity.LOW),
    ],
)
def test_what_needs_eyes_is_an_alert_as_bad_as_it_is(message: str, severity: Severity) -> None:
    (alarm,) = alarms([an_entry(message)])

    assert (alarm.rule, alarm.severity, alarm.subject) == (message, severity, "o1")


def test_what_needs_no_eyes_is_none() -> None:
    assert alarms([an_entry("position_closed", needs_eyes=False)]) == []


def test_alarms_about_two_orders_are_two_and_about_one_are_one() -> None:
    one, again, other = (
        alarms([an_entry("entry_unheard", values={"order": name})])[0].place
        for name in ("o1", "o1", "o2")
    )

    assert one == again != other


def test_more_than_ten_errors_in_ten_minutes_are_critical_and_ten_are_not() -> None:
    assert too_many_errors(ERRORS) == []
    assert [one.severity for one in too_many_errors(ERRORS + 1)] == [Severity.CRITICAL]


def test_a_fact_of_trouble_is_a_warning_and_another_is_information() -> None:
    assert level_of("errand failed", is_problem=False) is Level.WARN
    assert level_of("position_closed", is_problem=False) is Level.INFO
    assert level_of("position_closed", is_problem=True) is Level.ERROR


def test_counts_of_an_hour_grow_and_name_only_errors_and_warnings() -> None:
    first = added({}, [an_entry("bad", count=3), an_entry("fine", level=Level.INFO)])

    assert added(first, [an_entry("bad")]) == {
        "level": {"error": 4, "info": 1},
        "category": {"trade-engine": 5},
        "messages": {"error bad": 4},
    }


def test_a_file_for_a_spreadsheet_holds_no_formula() -> None:
    rows = [{"timestamp": 1, "message": "=HYPERLINK(1)", "values": {"a": "b"}}]

    assert text_of(rows, as_csv=True).splitlines() == [
        "timestamp,message,values",
        """1,'=HYPERLINK(1),"{""a"":""b""}\"""",
    ]
