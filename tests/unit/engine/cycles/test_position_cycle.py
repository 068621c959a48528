"""The position loop turned through its ports: fakes that keep the real ones' conditions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

import pytest
from tests.fake_venue import FakeVenue
from tests.fakes import FakeClock, FakeLeases, FakeStore

from engine.cycles.burst import BurstReport, BurstRequest, Outcome
from engine.cycles.position import PositionMemory, position_burst
from engine.events import Event, OrderUpdate, Quote, SendUnclear, Unclear
from engine.ledger import Order, OrderState, PositionStatus, Purpose
from engine.market import Candles
from engine.ports import World
from engine.records import EngineRow, Lease
from engine.settings import Settings
from engine.values import CloseReason, Exits, IndicationType, Instrument, Loop, SetKey, Side, Wish

BTC = Instrument(
    symbol="BTCUSDT",
    base="BTC",
    quote="USDT",
    price_tick=Decimal("0.1"),
    quantity_step=Decimal("0.001"),
    min_quantity=Decimal("0.001"),
    max_quantity=Decimal(100),
    min_notional=Decimal(5),
    max_leverage=100,
)
START = Decimal(50_000)
SETTINGS = Settings(burst_s=5)


@dataclass
class VenueFeed:
    """Prices and events straight from the fake venue."""

    venue: FakeVenue
    path: list[Decimal] = field(default_factory=list)

    async def follow(self, instruments: Sequence[Instrument], *, private: bool) -> None:
        self.followed = [each.symbol for each in instruments]

    async def candles(self, close_ms: int) -> Candles:
        raise AssertionError("the position loop asks for no candles")

    async def backfill(self, start_ms: int, end_ms: int) -> tuple[Candles, ...]:
        raise AssertionError("the position loop asks for no candles")

    def quotes(self) -> Mapping[str, Quote]:
        if self.path:
            self.venue.set_price("BTCUSDT", self.path.pop(0))
        now_ms = self.venue.clock.now_ms()
        price = self.venue.prices["BTCUSDT"]
        return {"BTCUSDT": Quote(symbol="BTCUSDT", price=price, event_ms=now_ms, seen_ms=now_ms)}

    def events(self) -> tuple[Event, ...]:
        self.venue.advance()
        return self.venue.events()

    def sources(self) -> Mapping[str, int]:
        return {}

    async def close(self) -> None:
        pass


@dataclass
class Opened:
    """Opens the one venue there is."""

    opened_feed: VenueFeed
    opened_exchange: FakeVenue

    async def feed(self, connection_id: str, *, private: bool) -> VenueFeed:
        return self.opened_feed

    async def exchange(self, connection_id: str, *, private: bool) -> FakeVenue:
        return self.opened_exchange


class Lines:
    """Keeps what was logged."""

    def __init__(self) -> None:
        self.problems: list[str] = []

    def fact(self, name: str, values: Mapping[str, object]) -> None:
        pass

    def problem(self, name: str, values: Mapping[str, object]) -> None:
        self.problems.append(name)


class Starts:
    """Remembers which loops were started."""

    def start(self, connection_id: str, loop: Loop, *, reason: str) -> None:
        raise AssertionError("the position loop starts nothing")


@dataclass
class Desk:
    """One connection's position loop on fakes."""

    clock: FakeClock
    venue: FakeVenue
    feed: VenueFeed
    store: FakeStore
    leases: FakeLeases
    world: World
    memories: dict[str, PositionMemory] = field(default_factory=dict)
    serial: int = 0

    def wish(self, side: Side, *, trailing: bool = False) -> Wish:
        exits = Exits(
            take_profit_pct=Decimal("0.4"),
            stop_loss_pct=Decimal("0.2"),
            trail_start_pct=Decimal("0.2") if trailing else Decimal(0),
            trail_stop_pct=Decimal("0.1") if trailing else Decimal(0),
        )
        key = SetKey(
            symbol="BTCUSDT", indication=IndicationType.MOVE, parameter=3, side=side, exits=exits
        )
        made = Wish(key=key, entry_close_ms=self.clock.now_ms(), price=self.price)
        self.store.put_command("c1", self.store.wish_command(made))
        return made

    @property
    def price(self) -> Decimal:
        return self.venue.prices["BTCUSDT"]

    async def burst(self) -> BurstReport:
        self.serial += 1
        return await position_burst(
            self.world,
            BurstRequest(
                connection_id="c1",
                owner=f"nonce-{self.serial}",
                token=self.leases.read("c1", Loop.POSITION).token,
                execution_started_ms=self.clock.now_ms(),
            ),
            self.memories,
        )


@pytest.fixture
def desk() -> Desk:
    clock = FakeClock()
    leases = FakeLeases(clock)
    store = FakeStore(clock, leases)
    store.engine_row = EngineRow(
        connection_id="c1",
        run_id="r1",
        symbols=("BTCUSDT",),
        instruments=(BTC,),
        settings=SETTINGS,
        settings_version=1,
        prehistoric_data_loaded=True,
        prehistory_end_ms=0,
        may_trade=True,
        hedge=True,
        cross=True,
    )
    venue = FakeVenue(clock, {"BTCUSDT": BTC}, prices={"BTCUSDT": START})
    feed = VenueFeed(venue)
    world = World(
        clock=clock,
        leases=leases,
        store=store,
        starter=Starts(),
        opener=Opened(feed, venue),
        log=Lines(),
    )
    return Desk(clock, venue, feed, store, leases, world)


def moved(side: Side, *percents: str) -> list[Decimal]:
    """Prices that many percent to the good of `side`."""
    return [START * (1 + Decimal(p) * side.sign / 100) for p in percents]


@pytest.mark.parametrize("side", Side)
async def test_a_wish_becomes_a_position_with_a_stop_and_a_target_of_its_own(
    desk: Desk, side: Side
) -> None:
    desk.wish(side)

    report = await desk.burst()

    assert report.outcome is Outcome.AGAIN
    (position,) = desk.store.positions.values()
    assert position.status is PositionStatus.OPEN
    assert desk.venue.quantity("BTCUSDT", side) == position.quantity > 0
    assert desk.venue.stop_cover("BTCUSDT", side) == position.quantity
    purposes = sorted(order.purpose for order in desk.store.orders.values())
    assert purposes == [Purpose.ENTRY, Purpose.STOP, Purpose.TARGET]


@pytest.mark.parametrize("side", Side)
@pytest.mark.parametrize(
    ("path", "trailing", "reason"),
    [
        (("0.1", "0.3", "0.5"), False, CloseReason.TAKE_PROFIT),
        (("-0.1", "-0.3"), False, CloseReason.STOP_LOSS),
        (("0.1", "0.3", "0.15"), True, CloseReason.TRAILING_STOP),
    ],
)
async def test_each_exit_closes_the_position_and_leaves_nothing_behind(
    desk: Desk, side: Side, path: tuple[str, ...], trailing: bool, reason: CloseReason
) -> None:
    desk.wish(side, trailing=trailing)
    await desk.burst()

    desk.feed.path = moved(side, *path)
    reports = [await desk.burst() for _ in range(8)]

    (position,) = desk.store.positions.values()
    assert (position.status, position.close_reason) == (PositionStatus.CLOSED, reason)
    assert desk.venue.quantity("BTCUSDT", side) == 0
    assert desk.venue.live() == []
    assert reports[-1].outcome in (Outcome.IDLE, Outcome.AGAIN)
    assert Outcome.IDLE in [report.outcome for report in reports]


async def test_a_lease_that_moves_between_facts_and_claim_sends_nothing(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.wish(Side.LONG)
    claim = desk.store.claim

    def moved_before(lease: Lease, order: Order) -> bool:
        desk.leases.change("c1", Loop.POSITION, token=lease.token + 1, owner="successor")
        return claim(lease, order)

    monkeypatch.setattr(FakeStore, "claim", lambda store, lease, order: moved_before(lease, order))
    report = await desk.burst()

    assert report.outcome is Outcome.LOST
    assert desk.venue.arrived == []


async def test_a_lease_that_moves_between_claim_and_send_never_doubles_the_order(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.wish(Side.SHORT)
    claim = desk.store.claim
    stolen: list[str] = []

    def moved_after(store: FakeStore, lease: Lease, order: Order) -> bool:
        claimed = claim(lease, order)
        if not stolen:
            stolen.append(order.client_order_id)
            desk.leases.change("c1", Loop.POSITION, token=lease.token + 1, owner="")
        return claimed

    monkeypatch.setattr(FakeStore, "claim", moved_after)
    first = await desk.burst()
    for _ in range(6):
        await desk.burst()

    assert first.outcome is Outcome.LOST
    assert desk.venue.arrived.count(stolen[0]) == 1
    assert desk.venue.duplicates == 0
    (position,) = desk.store.positions.values()
    assert desk.venue.stop_cover("BTCUSDT", Side.SHORT) == position.quantity > 0


async def test_an_order_whose_answer_is_lost_is_looked_up_and_never_sent_again(
    desk: Desk,
) -> None:
    def lost_answer(order: Order) -> OrderUpdate | SendUnclear | None:
        desk.venue.accept(order)
        return SendUnclear(
            client_order_id=order.client_order_id,
            why=Unclear.TIMEOUT,
            text="the answer was lost",
            at_ms=desk.clock.now_ms(),
        )

    desk.venue.script.append(lost_answer)
    desk.wish(Side.LONG)
    for _ in range(3):
        await desk.burst()

    assert len(desk.venue.arrived) == len(set(desk.venue.arrived))
    states = {order.purpose: order.state for order in desk.store.orders.values()}
    assert states[Purpose.ENTRY] is OrderState.FILLED


async def test_a_stop_that_is_wanted_ends_the_loop_and_leaves_the_position_protected(
    desk: Desk,
) -> None:
    desk.wish(Side.LONG)
    await desk.burst()

    desk.leases.change("c1", Loop.POSITION, wanted="stop")
    report = await desk.burst()

    assert report.outcome is Outcome.STOPPED
    assert desk.leases.read("c1", Loop.POSITION).owner == ""
    (position,) = desk.store.positions.values()
    assert desk.venue.stop_cover("BTCUSDT", Side.LONG) == position.quantity


async def test_a_worker_whose_memory_the_store_does_not_confirm_begins_from_the_store(
    desk: Desk,
) -> None:
    desk.wish(Side.LONG)
    await desk.burst()
    desk.memories["c1"].last_slot_ms -= 300
    forgotten = desk.memories["c1"].desk

    await desk.burst()

    assert desk.memories["c1"].desk is not forgotten
    (position,) = desk.store.positions.values()
    assert desk.venue.quantity("BTCUSDT", Side.LONG) == position.quantity


async def test_every_tick_is_journalled_once(desk: Desk) -> None:
    desk.wish(Side.LONG)
    reports = [await desk.burst() for _ in range(2)]

    slots = [tick[0] for piece in desk.store.position_ticks for tick in piece.ticks]

    assert len(slots) == len(set(slots)) == sum(report.ticks for report in reports)
