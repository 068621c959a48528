"""What the stages of the loops took, measured in the loops and judged."""

import asyncio
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import pytest
from tests.fakes import FakeClock, FakeStore
from tests.position_world import a_position_loop
from tests.trade_world import an_engine

from engine.health import Health
from engine.performance import Spread, Stage, spread, stage_health, warnings
from engine.records import Lease, PositionTicks
from engine.settings import Settings
from engine.values import Side


@dataclass(slots=True)
class CountingClock(FakeClock):
    """Every look at it in microseconds takes one of them."""

    looks: int = 0

    def now_us(self) -> int:
        self.looks += 1
        return self.time_ms * 1000 + self.looks


def test_percentiles_are_samples_and_the_newest_is_told() -> None:
    found = spread([*range(1_000, 101_000, 1_000)][::-1])

    assert found == Spread(
        samples=100,
        last=Decimal(1),
        avg=Decimal("50.5"),
        min=Decimal(1),
        max=Decimal(100),
        p50=Decimal(50),
        p95=Decimal(95),
        p99=Decimal(99),
    )
    assert spread([]) == Spread(samples=0)


def _took(milliseconds: int) -> Spread:
    return spread([milliseconds * 1000])


@pytest.mark.parametrize(
    ("stage", "limit_ms"),
    [
        (Stage.INDICATIONS, 5_000),
        (Stage.STRATEGIES, 5_000),
        (Stage.REALTIME, 3_000),
        (Stage.DATABASE, 1_000),
    ],
)
def test_a_stage_past_its_threshold_is_warned_of(stage: Stage, limit_ms: int) -> None:
    assert warnings({stage: _took(limit_ms)}, None, Settings()) == []
    (found,) = warnings({stage: _took(limit_ms + 1)}, None, Settings())

    assert found.metric == stage
    assert (found.value, found.threshold) == (Decimal(limit_ms + 1), Decimal(limit_ms))


def test_a_mean_past_its_threshold_is_warned_of_though_the_newest_is_quick() -> None:
    seen = spread([9_000_000, 9_000_000, 1_000])

    (found,) = warnings({Stage.REALTIME: seen}, None, Settings())

    assert found.value == seen.avg


def test_memory_is_warned_of_past_eighty_percent() -> None:
    assert warnings({}, Decimal(80), Settings()) == []
    (found,) = warnings({}, Decimal("80.1"), Settings())

    assert (found.metric, found.unit) == ("memory", "%")


@pytest.mark.parametrize(
    ("took_ms", "succeeded", "failed", "level"),
    [
        (10_000, 100, 0, Health.HEALTHY),
        (11_000, 100, 0, Health.DEGRADED),
        (16_000, 100, 0, Health.UNHEALTHY),
        (10, 94, 6, Health.DEGRADED),
        (10, 79, 21, Health.UNHEALTHY),
    ],
)
def test_health_follows_the_newest_cycle_and_the_share_that_succeeded(
    took_ms: int, succeeded: int, failed: int, level: Health
) -> None:
    found = stage_health(
        Stage.INDICATIONS,
        _took(took_ms),
        succeeded=succeeded,
        failed=failed,
        settings=Settings(),
    )

    assert found is level


def test_a_trade_tick_tells_how_much_of_it_the_indications_took() -> None:
    engine = an_engine()
    engine.clock = CountingClock(engine.clock.time_ms)

    asyncio.run(engine.burst())

    tick = engine.store.ticks[-1]
    assert (tick.indications_us, tick.compute_us) == (1, 2)


def test_a_tick_tells_what_the_write_of_the_one_before_took(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    engine = an_engine()
    write = FakeStore.write_tick

    def slowly(store: FakeStore, *given: Any) -> Lease:
        engine.clock.advance(40)
        return write(store, *given)

    monkeypatch.setattr(FakeStore, "write_tick", slowly)
    asyncio.run(engine.burst())

    assert [tick.store_us for tick in engine.store.ticks[:3]] == [None, 40_000, 40_000]


def test_a_piece_of_the_position_journal_tells_what_the_write_before_took(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    desk = a_position_loop()
    assert desk.store.engine_row is not None
    desk.store.engine_row = replace(desk.store.engine_row, settings=Settings(burst_s=20))
    write = FakeStore.write_position_ticks

    def slowly(store: FakeStore, lease: Lease, ticks: PositionTicks) -> Lease:
        desk.clock.advance(7)
        return write(store, lease, ticks)

    monkeypatch.setattr(FakeStore, "write_position_ticks", slowly)
    desk.wish(Side.LONG)
    asyncio.run(desk.burst())

    told = [piece.store_us for piece in desk.store.position_ticks]
    assert told[:3] == [None, 7_000, 7_000]
