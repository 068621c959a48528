"""Sums over all closed positions: as a plain computation has them, and read once."""

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from tests.api_world import ApiWorld
from tests.samples import START_MS, a_key, a_position

from adapters.position_rows import position_row
from adapters.tables import PositionRow
from engine.ledger import Position, PositionStatus
from engine.values import CloseReason, Side

HOUR_MS, DAY_MS = 3_600_000, 86_400_000
CENT = Decimal("0.01")


@pytest.fixture
def connection_id(api: ApiWorld) -> str:
    """A connection whose engine runs, twelve days after the first of our times."""
    api.clock.time_ms = START_MS + 12 * DAY_MS
    return api.running()


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How many rows of positions were decoded."""
    count: Counter[str] = Counter()
    made = PositionRow.from_raw_data

    def counted(data: dict[str, Any]) -> PositionRow:
        count["rows"] += 1
        return made(data)

    monkeypatch.setattr(PositionRow, "from_raw_data", counted)
    return count


def _positions(seed: int, count: int, *, until_ms: int) -> Iterator[Position]:
    """Closed ones over twelve days, some of them without an entry."""
    chance = random.Random(seed)
    for number in range(count):
        closed_ms = until_ms - chance.randrange(12 * DAY_MS)
        yield replace(
            a_position(f"s{seed}-{number}", key=a_key(side=chance.choice(list(Side)))),
            status=PositionStatus.CLOSED,
            quantity=Decimal(0),
            entry_quantity=Decimal(chance.choice(("0.01", "0.02", "0"))),
            entry_price=Decimal(50_000),
            realized_pnl=Decimal(chance.randrange(-900, 1_000)) / 100,
            fees=Decimal(chance.randrange(0, 99)) / 1_000,
            funding=Decimal(chance.randrange(-50, 50)) / 1_000,
            opened_at_ms=closed_ms - 60_000,
            closed_at_ms=closed_ms,
            close_reason=chance.choice((*CloseReason, None)),
        )


def _plain(live: list[Position], closed: list[Position]) -> dict[str, Any]:
    """The same figures from lists, one after the other."""
    ended = [one for one in closed if one.entry_quantity]
    nets = [one.net for one in ended]
    wins, losses = [n for n in nets if n > 0], [n for n in nets if n < 0]
    everything = [*live, *ended]

    def rate(won: int, of: int) -> Decimal | None:
        return (Decimal(100 * won) / of).quantize(CENT) if of else None

    def side(one: Side) -> dict[str, Any]:
        own = [each.net for each in ended if each.key.side is one]
        won = sum(1 for net in own if net > 0)
        told = {"closed_positions": len(own), "wins": won}
        return told | {"total_pnl": sum(own, Decimal(0)), "win_rate": rate(won, len(own))}

    return {
        "total_positions": len(everything),
        "active_positions": len(live),
        "closed_positions": len(ended),
        "total_pnl": sum((one.net for one in everything), Decimal(0)),
        "total_fees": sum((one.fees for one in everything), Decimal(0)),
        "total_funding": sum((one.funding for one in everything), Decimal(0)),
        "win_rate": rate(len(wins), len(ended)),
        "avg_profit": sum(wins, Decimal(0)) / len(wins) if wins else None,
        "avg_loss": sum(losses, Decimal(0)) / len(losses) if losses else None,
        "profit_factor": (sum(wins, Decimal(0)) / -sum(losses)).quantize(CENT) if losses else None,
        "long": side(Side.LONG),
        "short": side(Side.SHORT),
        "close_reasons": dict(Counter(str(one.close_reason or "") for one in ended)),
    }


def _told(api: ApiWorld, connection_id: str) -> dict[str, Any]:
    stats: dict[str, Any] = api.get(f"/api/positions/{connection_id}/stats").body["stats"]
    return _numbers(stats)


def _numbers(told: dict[str, Any]) -> dict[str, Any]:
    """Texts of money as numbers: 5.0 is 5.00."""
    return {
        name: _numbers(one)
        if isinstance(one, dict)
        else Decimal(one)
        if isinstance(one, str)
        else one
        for name, one in told.items()
    }


def _store(connection_id: str, positions: list[Position]) -> None:
    with PositionRow.batch_write() as batch:
        for one in positions:
            batch.save(position_row(connection_id, one))


def test_sums_are_those_of_a_plain_computation_whatever_comes_and_goes(
    api: ApiWorld, connection_id: str
) -> None:
    live = [replace(a_position(f"l{n}"), fees=Decimal(n) / 7) for n in range(3)]
    live = [replace(one, fees=one.fees.quantize(CENT)) for one in live]
    closed = list(_positions(1, 60, until_ms=api.clock.now_ms()))
    _store(connection_id, [*live, *closed])
    assert _told(api, connection_id) == _plain(live, closed)

    api.clock.time_ms += 2 * HOUR_MS  # some more close
    later = [
        replace(one, closed_at_ms=api.clock.now_ms() - 60_000 * number)
        for number, one in enumerate(_positions(2, 9, until_ms=api.clock.now_ms()))
    ]
    _store(connection_id, later)
    closed += later
    assert _told(api, connection_id) == _plain(live, closed)

    last = later[0]  # a late fee of one that closed a moment ago
    closed[closed.index(last)] = late = replace(last, fees=last.fees + 1)
    _store(connection_id, [late])
    assert _told(api, connection_id) == _plain(live, closed)

    closed.sort(key=lambda one: one.closed_at_ms)  # the archive takes the oldest
    for gone in closed[:25]:
        PositionRow(connection_id, gone.position_id).delete()
        assert _told(api, connection_id) == _plain(live, closed[1 + closed.index(gone) :])


def test_what_closed_more_than_an_hour_ago_is_read_once(
    api: ApiWorld, connection_id: str, decoded: Counter[str]
) -> None:
    closed = list(_positions(3, 80, until_ms=api.clock.now_ms() - 2 * HOUR_MS))
    fresh = [
        replace(one, closed_at_ms=api.clock.now_ms() - HOUR_MS // 2)
        for one in _positions(4, 5, until_ms=api.clock.now_ms())
    ]
    _store(connection_id, [*closed, *fresh])

    first = _told(api, connection_id)
    assert decoded["rows"] == 1 + 80 + 5
    decoded.clear()

    assert _told(api, connection_id) == first
    assert decoded["rows"] == 1 + 5


def test_of_a_position_no_more_is_read_than_the_sums_need(
    api: ApiWorld, connection_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: set[str] = set()
    made = PositionRow.from_raw_data

    def noted(data: dict[str, Any]) -> PositionRow:
        read.update(data)
        return made(data)

    _store(connection_id, [a_position("l"), *_positions(5, 3, until_ms=api.clock.now_ms())])
    monkeypatch.setattr(PositionRow, "from_raw_data", noted)

    assert _told(api, connection_id)["active_positions"] == 1
    assert len(read) <= 7
