"""What the trade loop tells the position loop of opposite signals."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from tests.fakes import FakeStore
from tests.trade_world import SETTINGS, Engine, an_engine

from engine.errors import StoreBusyError
from engine.records import Lease, TradeTick
from engine.settings import with_values
from engine.values import Loop, Side, Turn, Wish

TURNING = with_values(SETTINGS, {"exitOnOpposite": True})


def an_engine_that_wishes_nothing(*, turning: bool = True, phase: str = "live") -> Engine:
    engine = an_engine(TURNING if turning else SETTINGS)
    assert engine.store.engine_row is not None
    engine.store.engine_row = replace(engine.store.engine_row, may_trade=False)
    engine.leases.change("c1", Loop.POSITION, phase=phase)
    return engine


def turns(engine: Engine) -> list[Turn]:
    return [command.turn for command in engine.store.commands.values() if command.turn]


async def test_while_the_position_loop_lives_it_is_told_of_each_opposite_signal() -> None:
    engine = an_engine_that_wishes_nothing()
    for _ in range(3):
        await engine.burst()

    told = turns(engine)
    signals = sum(tick.counts["signals"] for tick in engine.store.ticks)
    assert len(told) == signals > 0
    assert {turn.side for turn in told} == {Side.SHORT}  # the market only rises
    assert {command.kind for command in engine.store.commands.values()} == {"strategy_exit"}


async def test_a_sleeping_position_loop_has_nothing_to_close() -> None:
    engine = an_engine_that_wishes_nothing(phase="idle")
    for _ in range(3):
        await engine.burst()

    assert turns(engine) == []


async def test_a_wish_that_still_waits_is_turned_too() -> None:
    engine = an_engine_that_wishes_nothing(phase="idle")
    engine.leases.change("c1", Loop.POSITION, wish_seq=1)
    for _ in range(3):
        await engine.burst()

    assert turns(engine)


async def test_without_exit_on_opposite_nothing_is_told() -> None:
    engine = an_engine_that_wishes_nothing(turning=False)
    for _ in range(3):
        await engine.burst()

    assert turns(engine) == []


async def test_a_turn_the_store_was_too_busy_for_is_told_with_the_next_tick(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    engine = an_engine_that_wishes_nothing()
    write = FakeStore.write_tick
    lost: list[Turn] = []

    def busy_once(
        store: FakeStore,
        lease: Lease,
        tick: TradeTick,
        wishes: Sequence[Wish],
        told: Sequence[Turn],
    ) -> Lease:
        if told and not lost:
            lost.extend(told)
            raise StoreBusyError("busy")
        return write(store, lease, tick, wishes, told)

    monkeypatch.setattr(FakeStore, "write_tick", busy_once)
    for _ in range(3):
        await engine.burst()

    assert lost
    assert set(lost) <= set(turns(engine))
