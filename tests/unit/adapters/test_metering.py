"""Metrics: one line a burst, with the figures of that burst alone."""

import json
from typing import Any

import pytest
from tests.documents import resources
from tests.fakes import FakeClock

from adapters.monitoring.metering import (
    MINUTE_MS,
    Meter,
    MeteredStore,
    RequestMeter,
    metered,
    publish,
)


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_a_burst_is_one_line_with_percentiles_and_counts(
    capsys: pytest.CaptureFixture[str],
) -> None:
    store = MeteredStore(FakeClock())

    with metered("position_tick", store, "c1"):
        meter = store.meter
        for number in range(100):
            slot = 1_700_000_000_000 + 300 * number
            started = 1000 * slot + 1000 * (number + 1)
            meter.ticks.append((slot, started, started + 900, 10 * (number + 1)))
        meter.skipped.update({"overrun": 2, "burst": 1})
        meter.orders_sent = 3
        meter.unknown |= {"o1"}
        meter.counts = {"open_positions": 5, "unprotected": 1, "unreconciled": 2}

    (line,) = lines(capsys)
    assert line["connection_id"] == "c1"
    assert {name: line[name] for name in ("JitterP50Ms", "JitterP99Ms")} == {
        "JitterP50Ms": [50.0],
        "JitterP99Ms": [99.0],
    }
    assert line["ComputeP99Ms"] == [0.99]
    counts = ("Ticks", "SkippedOverrun", "SkippedBurst", "OrdersSent", "OrdersUnknown", "Drift")
    assert [line[name] for name in counts] == [[100], [2], [1], [3], [1], [2]]
    assert (line["OpenPositions"], line["Protected"]) == ([5], [4])


def test_the_next_burst_begins_at_nothing_and_a_failed_one_is_told_too(
    capsys: pytest.CaptureFixture[str],
) -> None:
    store = MeteredStore(FakeClock())
    with pytest.raises(RuntimeError), metered("trade_tick", store, "c1"):
        store.meter.orders_sent = 3
        raise RuntimeError("the worker dies")
    with metered("trade_tick", store, "c1"):
        pass

    assert [line["OrdersSent"] for line in lines(capsys)] == [[3], [0]]


def test_lateness_a_candle_is_allowed_is_no_jitter() -> None:
    tick = (1_700_000_000_000, 1_700_000_000_251_000, 1_700_000_000_252_000, 500)

    assert Meter(ticks=[tick], offset_ms=250).measures()["JitterP50Ms"] == 1.0


def test_requests_are_a_line_a_minute(capsys: pytest.CaptureFixture[str]) -> None:
    clock = FakeClock()
    meter = RequestMeter(service="api", clock=clock)
    for number in range(1, 601):
        meter.add(1000 * number, failed=number == 7)
        clock.advance(MINUTE_MS // 300)

    found = lines(capsys)
    assert len(found) == 1
    assert (found[0]["Requests"], found[0]["RequestsFailed"]) == ([301], [1])
    assert found[0]["LatencyP99Ms"] == [298.0]


def test_every_alarm_tells_the_topic() -> None:
    alarms = {
        name: one["Properties"]
        for name, one in resources().items()
        if one["Type"] == "AWS::CloudWatch::Alarm"
    }

    assert "EmergencyStopFailed" in alarms
    assert [name for name, one in alarms.items() if "AlertTopicArn" not in str(one)] == []


def test_the_dead_man_alarm_watches_what_the_supervisor_tells_and_fires_without_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    publish("supervisor", {"SupervisorHeartbeat": 1, "SilentLoops": 0})
    (line,) = lines(capsys)
    told = line["_aws"]["CloudWatchMetrics"][0]

    for name, metric in (
        ("SupervisorSilent", "SupervisorHeartbeat"),
        ("LoopSilent", "SilentLoops"),
    ):
        alarm = resources()[name]["Properties"]
        assert alarm["TreatMissingData"] == "breaching"
        assert alarm["MetricName"] == metric
        assert metric in [one["Name"] for one in told["Metrics"]]
        assert [one["Name"] for one in alarm["Dimensions"]] == told["Dimensions"][0]
        assert alarm["Dimensions"][0]["Value"] == line["service"]
