"""Statistics over the API: what closed, what the equity did, and what it costs to read."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from tests.api_world import ApiWorld
from tests.samples import START_MS, a_key, a_position, position_ticks
from tests.store_watch import watched_store

from adapters.position_rows import position_row
from adapters.store import DynamoStore
from adapters.tables import EquityRow
from engine.ledger import Position, PositionStatus
from engine.records import EquitySample, Lease
from engine.values import CloseReason, Loop, Side

HOUR_MS, DAY_MS = 3_600_000, 86_400_000
ALIASES = ("/api/positions/stats", "/api/exchange-positions/statistics", "/api/trading/stats")


@pytest.fixture
def connection_id(api: ApiWorld) -> str:
    """A connection whose engine runs, ten days after the first of our times."""
    api.clock.time_ms = START_MS + 10 * DAY_MS
    return api.running()


def _closed(
    name: str, net: str, *, side: Side = Side.LONG, symbol: str = "BTCUSDT", hours: int = 0
) -> Position:
    return replace(
        a_position(name, key=a_key(symbol, side=side)),
        status=PositionStatus.CLOSED,
        quantity=Decimal(0),
        entry_quantity=Decimal("0.01"),
        entry_price=Decimal(50_000),
        realized_pnl=Decimal(net) + 1,
        fees=Decimal(1),
        opened_at_ms=START_MS + hours * HOUR_MS - 60_000,
        closed_at_ms=START_MS + hours * HOUR_MS,
        close_reason=CloseReason.TAKE_PROFIT,
    )


def _sample(equity: str, at_ms: int, *, opens_hour: bool = True) -> EquitySample:
    return EquitySample(
        at_ms=at_ms,
        equity=Decimal(equity),
        free_margin=Decimal(equity) - 100,
        unrealized=Decimal(7),
        open_positions=2,
        opens_hour=opens_hour,
    )


def _write_samples(api: ApiWorld, connection_id: str, samples: list[EquitySample]) -> None:
    store = DynamoStore(api.clock)
    lease: Lease = api.leases.take(
        connection_id, Loop.POSITION, token=0, owner="burst", lease_ms=15_000
    )
    for number, sample in enumerate(samples):
        ticks = replace(position_ticks(START_MS + number * 900), sample=sample)
        lease = store.write_position_ticks(lease, ticks)


def test_statistics_tell_each_side_for_itself(api: ApiWorld, connection_id: str) -> None:
    for position in (
        _closed("a", "10", hours=1),
        _closed("b", "-4", hours=2),
        _closed("c", "-6", side=Side.SHORT, hours=3),
    ):
        position_row(connection_id, position).save()

    (told,) = api.get(f"/api/statistics?connectionId={connection_id}").body["connections"]

    long, short = told["long"], told["short"]
    assert (long["closed"], long["profit_factor"], long["win_rate"]) == (2, "2.5000", "50.0000")
    assert [Decimal(long["net"]), Decimal(short["net"])] == [Decimal(6), Decimal(-6)]
    assert Decimal(told["net"]) == 0
    assert long["expectancy_r"] == "6.0000"  # 3 of a notional of 500, in tenths of a percent
    assert short["max_consecutive_losses"] == 1
    assert long["last"]["8"] is None
    assert (told["positions"], told["complete"]) == (3, True)


def test_statistics_are_split_by_what_positions_have_in_common(
    api: ApiWorld, connection_id: str
) -> None:
    position_row(connection_id, _closed("a", "10")).save()
    position_row(connection_id, _closed("b", "5", symbol="ETHUSDT")).save()

    answer = api.get(f"/api/statistics?connectionId={connection_id}&groupBy=symbol")

    groups = answer.body["connections"][0]["groups"]
    assert {one["name"]: Decimal(one["long"]["net"]) for one in groups} == {
        "BTCUSDT": 10,
        "ETHUSDT": 5,
    }


def test_only_what_closed_in_the_range_counts(api: ApiWorld, connection_id: str) -> None:
    for number in range(4):
        position_row(connection_id, _closed(f"p{number}", "1", hours=number)).save()

    query = f"from={START_MS + HOUR_MS}&to={START_MS + 2 * HOUR_MS}"
    (told,) = api.get(f"/api/statistics?{query}").body["connections"]

    assert told["long"]["closed"] == 2


def test_results_that_came_later_are_told_though_earlier_ones_are_remembered(
    api: ApiWorld, connection_id: str
) -> None:
    position_row(connection_id, _closed("a", "10")).save()
    path = f"/api/statistics?connectionId={connection_id}"
    first = api.get(path).body["connections"][0]
    late = replace(_closed("b", "3"), closed_at_ms=api.clock.now_ms() - 1_000)
    position_row(connection_id, late).save()
    second = api.get(path).body["connections"][0]
    position_row(connection_id, replace(late, fees=Decimal(2))).save()
    third = api.get(path).body["connections"][0]

    assert [Decimal(one["net"]) for one in (first, second, third)] == [10, 13, 12]
    assert [one["positions_read"] for one in (first, second, third)] == [1, 1, 1]


@pytest.mark.parametrize("path", ALIASES)
def test_other_names_of_the_statistics_answer_the_same(
    api: ApiWorld, connection_id: str, path: str
) -> None:
    position_row(connection_id, _closed("a", "10")).save()

    one, other = api.get("/api/statistics").body, api.get(path).body

    for answer in (one, other):
        answer["connections"][0].pop("positions_read")
    assert one == other


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("from=5&to=5", 400),
        ("from=-1", 400),
        ("from=yesterday", 400),
        ("groupBy=colour", 400),
        ("connectionId=c-none", 404),
    ],
)
def test_statistics_of_nothing_are_refused(api: ApiWorld, query: str, status: int) -> None:
    assert api.get(f"/api/statistics?{query}").status == status


def test_equity_is_told_as_it_was_sampled(api: ApiWorld, connection_id: str) -> None:
    samples = [
        _sample("1000", START_MS),
        _sample("1010", START_MS + 60_000, opens_hour=False),
        _sample("1200", START_MS + HOUR_MS),
    ]
    _write_samples(api, connection_id, samples)

    path = f"/api/statistics/series?connectionId={connection_id}"
    hours, minutes = api.get(path).body, api.get(f"{path}&resolution=minute").body

    assert [one["equity"] for one in hours["equity"]] == ["1000", "1200"]
    assert [one["equity"] for one in minutes["equity"]] == ["1000", "1010", "1200"]
    assert (hours["equity"][0]["balance"], hours["equity"][0]["margin"]) == ("993", "100")


def test_sharpe_and_drawdown_are_those_of_the_equity(api: ApiWorld, connection_id: str) -> None:
    equities = ("1000", "1100", "990", "1089")
    _write_samples(
        api,
        connection_id,
        [_sample(equity, START_MS + day * DAY_MS) for day, equity in enumerate(equities)],
    )

    account = api.get("/api/statistics").body["connections"][0]["account"]

    assert (account["samples"], account["daily_returns"]) == (4, 3)
    assert account["max_drawdown_pct"] == "10.0000"
    assert Decimal(account["sharpe"]) > 0


def test_daily_results_are_summed_up_by_side(api: ApiWorld, connection_id: str) -> None:
    position_row(connection_id, _closed("a", "10")).save()
    position_row(connection_id, _closed("b", "-4", side=Side.SHORT, hours=30)).save()

    series = api.get(f"/api/statistics/series?connectionId={connection_id}").body

    nets = [(int(Decimal(d["long_net"])), int(Decimal(d["short_net"]))) for d in series["daily"]]
    assert nets == [(10, 0), (0, -4)]
    assert Decimal(series["daily"][-1]["cumulative"]) == 6


def test_a_warm_worker_reads_only_what_may_have_changed(api: ApiWorld, connection_id: str) -> None:
    for number in range(30):
        position_row(connection_id, _closed(f"p{number}", "1", hours=number)).save()
    path = f"/api/statistics?connectionId={connection_id}"

    with watched_store() as watch:
        cold = api.get(path).body["connections"][0]
        cold_reads, warm_from = watch.reads, len(watch.calls)
        warm = api.get(path).body["connections"][0]

    assert (cold["positions_read"], warm["positions_read"]) == (30, 0)
    assert cold["long"] == warm["long"]
    assert watch.wrong() == []
    assert cold_reads == len(watch.calls) - warm_from == 5


def test_hours_of_equity_are_read_once_and_later_ones_are_told(
    api: ApiWorld, connection_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    now_ms = api.clock.now_ms()
    hours = [now_ms - number * HOUR_MS for number in range(9, 1, -1)]
    _write_samples(api, connection_id, [_sample("100", at_ms) for at_ms in hours])
    read: list[int] = []
    made = EquityRow.from_raw_data

    def noted(data: dict[str, Any]) -> EquityRow:
        row = made(data)
        read.append(row.at_ms)
        return row

    monkeypatch.setattr(EquityRow, "from_raw_data", noted)
    path = f"/api/statistics/series?connectionId={connection_id}"
    first = api.get(path).body["equity"]
    read.clear()
    late = now_ms - HOUR_MS // 2
    _write_samples(api, connection_id, [_sample("105", late)])
    second = api.get(path).body["equity"]

    assert [one["at_ms"] for one in first] == hours
    assert second == [*first, second[-1]]
    assert (second[-1]["equity"], read) == ("105", [late])
    earlier = api.get(f"{path}&from={now_ms - 5 * HOUR_MS}&to={now_ms - 3 * HOUR_MS}").body
    assert earlier["equity"] == first[4:7]
