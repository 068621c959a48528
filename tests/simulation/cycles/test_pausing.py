"""What an operator wants of a loop holds from its very next tick, by the loop's own word."""

from collections.abc import Callable

import pytest
from tests.fakes import FakeClock, FakeLeases
from tests.position_world import Desk, moved
from tests.trade_world import Engine, an_engine

from engine.cycles.burst import Outcome
from engine.errors import StoreBusyError
from engine.ledger import PositionStatus
from engine.records import Lease, LeaseRow, Obeyed
from engine.values import Loop, Side

TRADE_MS, POSITION_MS = 1_000, 300


def _want(leases: FakeLeases, loop: Loop, wanted: str) -> int:
    """An operator's wish, as the API writes it; returns its number."""
    row = leases.read("c1", loop)
    number = row.wanted_number + 1
    now_ms = leases.clock.now_ms()
    leases.change("c1", loop, wanted=wanted, wanted_number=number, wanted_ms=now_ms)
    return number


def _later(
    clock: FakeClock, at_ms: int, act: Callable[[], object], monkey: pytest.MonkeyPatch
) -> None:
    """Have somebody act as soon as the clock has passed `at_ms`."""
    sleep = FakeClock.sleep_until_ms
    done: list[int] = []

    async def slept(self: FakeClock, deadline_ms: int) -> None:
        if not done and deadline_ms > at_ms:
            self.time_ms = max(self.time_ms, at_ms)
            done.append(at_ms)
            act()
        await sleep(self, deadline_ms)

    monkey.setattr(FakeClock, "sleep_until_ms", slept)


@pytest.mark.parametrize("wanted", ["pause", "stop"])
async def test_the_trade_loop_obeys_in_the_next_tick_and_says_so(
    monkeypatch: pytest.MonkeyPatch, wanted: str
) -> None:
    engine = an_engine()
    await engine.burst()
    asked_ms = engine.clock.now_ms() + 3_400
    _later(engine.clock, asked_ms, lambda: _want(engine.leases, Loop.TRADE, wanted), monkeypatch)
    await engine.burst()

    row = engine.leases.read("c1", Loop.TRADE)
    assert row.is_obeyed and row.obeyed is not None
    assert (row.obeyed.wanted, row.obeyed.token) == (wanted, row.token)
    assert 0 < row.obeyed.at_ms - asked_ms <= TRADE_MS
    assert row.obeyed.slot_ms // TRADE_MS == row.obeyed.at_ms // TRADE_MS


@pytest.mark.parametrize("wanted", ["pause", "stop"])
async def test_the_position_loop_obeys_in_the_next_tick_and_says_so(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, wanted: str
) -> None:
    desk.wish(Side.LONG)
    await desk.burst()
    asked_ms = desk.clock.now_ms() + 1_000
    _later(desk.clock, asked_ms, lambda: _want(desk.leases, Loop.POSITION, wanted), monkeypatch)
    await desk.burst()

    row = desk.leases.read("c1", Loop.POSITION)
    assert row.is_obeyed and row.obeyed is not None
    assert row.obeyed.wanted == wanted
    assert 0 <= row.obeyed.at_ms - asked_ms <= POSITION_MS


async def test_a_wish_is_acknowledged_by_one_write_and_not_by_every_tick(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    words: list[Obeyed] = []
    write = FakeLeases.acknowledge

    def noted(leases: FakeLeases, lease: Lease, obeyed: Obeyed) -> None:
        words.append(obeyed)
        write(leases, lease, obeyed)

    monkeypatch.setattr(FakeLeases, "acknowledge", noted)
    desk.wish(Side.LONG)
    for wanted in ("run", "pause", "run", "run"):
        _want(desk.leases, Loop.POSITION, wanted)
        await desk.burst()

    assert [(one.wanted, one.number) for one in words] == [
        ("run", 1),
        ("pause", 2),
        ("run", 3),
        ("run", 4),
    ]


async def test_a_busy_store_delays_the_word_and_nothing_else(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusals = iter([StoreBusyError("busy"), StoreBusyError("busy")])
    write = FakeLeases.acknowledge

    def busy(leases: FakeLeases, lease: Lease, obeyed: Obeyed) -> None:
        for error in refusals:
            raise error
        write(leases, lease, obeyed)

    monkeypatch.setattr(FakeLeases, "acknowledge", busy)
    desk.wish(Side.LONG)
    report = await desk.burst()

    assert report.outcome is Outcome.AGAIN
    assert desk.leases.read("c1", Loop.POSITION).is_obeyed
    assert [p.status for p in desk.store.positions.values()] == [PositionStatus.OPEN]


@pytest.mark.parametrize("side", Side)
async def test_a_paused_position_loop_opens_nothing_and_says_why(desk: Desk, side: Side) -> None:
    desk.leases.change("c1", Loop.POSITION, wanted="pause")
    refused = desk.wish(side)
    await desk.burst()
    desk.leases.change("c1", Loop.POSITION, wanted="run")
    taken = desk.wish(side)
    await desk.burst()

    told = {one: desk.store.consumed[one.wish_id] for one in (refused, taken)}
    assert (told[refused].outcome, told[refused].reason) == ("refused", "paused")
    assert told[taken].outcome == "done"
    (position,) = desk.store.positions.values()
    assert position.entry_close_ms == taken.entry_close_ms


@pytest.mark.parametrize("side", Side)
async def test_a_paused_position_loop_goes_on_trailing_and_closing(desk: Desk, side: Side) -> None:
    desk.wish(side, trailing=True)
    await desk.burst()
    _want(desk.leases, Loop.POSITION, "pause")

    desk.feed.path = moved(side, "0.1", "0.3")
    await desk.burst()
    (trailed,) = desk.store.positions.values()
    covered = desk.venue.stop_cover("BTCUSDT", side)
    desk.feed.path = moved(side, "0.15")
    for _ in range(3):
        await desk.burst()

    (closed,) = desk.store.positions.values()
    assert trailed.trail_armed and covered == trailed.quantity > 0
    assert closed.status is PositionStatus.CLOSED
    assert desk.venue.quantity("BTCUSDT", side) == 0


def _folded(engine: Engine) -> list[object]:
    return [(tick.slot_ms, tick.counts, tick.close_reasons) for tick in engine.store.ticks]


async def test_a_paused_trade_loop_folds_the_same_state_and_wishes_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    paused, running = an_engine(), an_engine()
    _want(paused.leases, Loop.TRADE, "pause")
    for _ in range(20):
        await paused.burst()
        await running.burst()

    assert paused.store.commands == {} and running.store.commands
    assert not {"warm", "wish"} & set(paused.started)
    assert _folded(paused) == _folded(running)
    assert paused.store.books == running.store.books


async def test_after_a_pause_the_trade_loop_wishes_again_what_is_fresh() -> None:
    engine = an_engine()
    _want(engine.leases, Loop.TRADE, "pause")
    for _ in range(20):
        await engine.burst()
    resumed_ms = engine.clock.now_ms()
    _want(engine.leases, Loop.TRADE, "run")
    for _ in range(5):
        await engine.burst()

    wishes = [one.wish for one in engine.store.commands.values() if one.wish]
    assert wishes
    assert all(wish.entry_close_ms > resumed_ms - TRADE_MS for wish in wishes)


def test_the_same_wish_made_anew_is_not_obeyed_yet() -> None:
    leases = FakeLeases(FakeClock())
    said = Obeyed(wanted="pause", number=1, slot_ms=0, token=1, at_ms=0)
    leases.change("c1", Loop.TRADE, wanted="pause", wanted_number=1, obeyed=said)
    row: LeaseRow = leases.read("c1", Loop.TRADE)
    leases.change("c1", Loop.TRADE, wanted_number=3)

    assert row.is_obeyed and not leases.read("c1", Loop.TRADE).is_obeyed
