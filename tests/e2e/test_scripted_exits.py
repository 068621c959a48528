"""A scripted market closes positions by stop, target and trailing, both sides, on the exchange."""

import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

import boto3
import pytest
from tests.e2e.scripted import leg, write_tape
from tests.paper_venue import KEY, SECRET, PaperProcess

from adapters.access import paper_address
from adapters.clock import SystemClock
from adapters.commands import submit, wish_command
from adapters.leases import RUN, DynamoLeases
from adapters.monitoring.service_log import ServiceLog
from adapters.opener import VenueOpener
from adapters.starter import StepFunctionsStarter
from adapters.store import DynamoStore
from adapters.tables import ConnectionRow, EngineStateRow, PositionRow
from adapters.vault import KmsVault
from engine.cycles.burst import BurstRequest, Outcome
from engine.cycles.position import PositionMemory, position_burst
from engine.ports import World
from engine.values import Exits, IndicationType, Loop, SetKey, Side, Wish
from local import gather
from local.report import drift

CONNECTION = "scripted"
PLAIN = Exits(take_profit_pct=Decimal("0.4"), stop_loss_pct=Decimal("0.3"))
TRAILING = Exits(
    take_profit_pct=Decimal("5"),
    stop_loss_pct=Decimal("0.3"),
    trail_start_pct=Decimal("0.3"),
    trail_stop_pct=Decimal("0.1"),
)
UP, DOWN = ((12, "0"), (10, "0.7"), (40, "0.7")), ((12, "0"), (10, "-0.7"), (40, "-0.7"))
UP_AND_BACK = ((12, "0"), (8, "0.6"), (8, "0.3"), (40, "0.3"))
DOWN_AND_BACK = ((12, "0"), (8, "-0.6"), (8, "-0.3"), (40, "-0.3"))
CASES = {
    "BTCUSDT": ("61000.0", Side.LONG, PLAIN, UP, "take_profit"),
    "ETHUSDT": ("2650.00", Side.SHORT, PLAIN, DOWN, "take_profit"),
    "BNBUSDT": ("520.00", Side.LONG, PLAIN, DOWN, "stop_loss"),
    "XRPUSDT": ("0.6000", Side.SHORT, PLAIN, UP, "stop_loss"),
    "ADAUSDT": ("0.4000", Side.LONG, TRAILING, UP_AND_BACK, "trailing_stop"),
    "SOLUSDT": ("150.0000", Side.SHORT, TRAILING, DOWN_AND_BACK, "trailing_stop"),
}


@dataclass
class Trader:
    """The real position loop of one connection, in this process."""

    world: World
    opener: VenueOpener
    memories: dict[str, PositionMemory] = field(default_factory=dict)

    async def burst(self) -> Outcome:
        row = self.world.leases.read(CONNECTION, Loop.POSITION)
        now_ms = self.world.clock.now_ms()
        request = BurstRequest(
            connection_id=CONNECTION,
            owner=f"burst-{now_ms}",
            token=row.token,
            execution_started_ms=now_ms,
        )
        return (await position_burst(self.world, request, self.memories)).outcome


@pytest.fixture
def paper(tmp_path: Path) -> Iterator[PaperProcess]:
    tape = tmp_path / "tape.csv"
    write_tape(tape, {symbol: leg(Decimal(c[0]), *c[3]) for symbol, c in CASES.items()})
    running = PaperProcess(tmp_path / "paper", options=("--tape", str(tape)))
    running.start()
    yield running
    running.stop()


@pytest.fixture
async def trader(
    paper: PaperProcess, moto_tables: None, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Trader]:
    for name, value in paper.environment.items():
        monkeypatch.setenv(name, value)
    assert paper_address(paper.environment) is not None
    key = boto3.client("kms").create_key()["KeyMetadata"]["KeyId"]
    monkeypatch.setenv("CTS_KMS_KEY_ID", key)
    clock = SystemClock()
    opener = VenueOpener(clock, KmsVault())
    world = World(
        clock=clock,
        leases=DynamoLeases(clock),
        store=DynamoStore(clock),
        starter=StepFunctionsStarter(),
        opener=opener,
        log=ServiceLog("scripted"),
    )
    await _set_up(world, opener)
    yield Trader(world, opener)
    for venue in opener.venues.values():
        await venue.feed.close()
        await venue.wire.close()


async def _set_up(world: World, opener: VenueOpener) -> None:
    sealed = KmsVault().seal(CONNECTION, {"api_key": KEY, "api_secret": SECRET})
    ConnectionRow(
        connection_id=CONNECTION,
        name="scripted",
        exchange="binance",
        api_type="perpetual_futures",
        connection_method="rest",
        margin_type="cross",
        position_mode="hedge",
        is_paper=True,
        is_enabled=True,
        is_active=True,
        is_live_trade=True,
        volume_factor=Decimal(1),
        credentials=sealed,
        api_key_last4="-key",
        created_at_ms=0,
        updated_at_ms=0,
    ).save()
    exchange = await opener.exchange(CONNECTION, private=True)
    instruments = await exchange.instruments()
    EngineStateRow(
        CONNECTION,
        run_id="run",
        symbols=[each.symbol for each in instruments],
        instruments=instruments,
        settings={"burstSeconds": 5},
        settings_version=1,
        may_trade=True,
        prehistoric_data_loaded=True,
        hedge=True,
        cross=True,
    ).save()
    await exchange.prepare(instruments[0].symbol, leverage=10, hedge=True, cross=True)
    DynamoLeases(world.clock).request(CONNECTION, Loop.POSITION, wanted=RUN)


def wish_for(symbol: str, now_ms: int) -> Wish:
    price, side, exits, _, _ = CASES[symbol]
    key = SetKey(symbol=symbol, indication=IndicationType.MOVE, parameter=3, side=side, exits=exits)
    return Wish(key=key, entry_close_ms=now_ms, price=Decimal(price))


async def test_stop_target_and_trailing_close_long_and_short_on_the_exchange(
    paper: PaperProcess, trader: Trader
) -> None:
    now_ms = trader.world.clock.now_ms()
    for symbol in CASES:
        submit(CONNECTION, wish_command(wish_for(symbol, now_ms), now_ms=now_ms))

    deadline = time.monotonic() + 60
    outcome = Outcome.AGAIN
    while outcome is Outcome.AGAIN and time.monotonic() < deadline:
        outcome = await trader.burst()

    closed = {
        row.symbol: row.close_reason for row in PositionRow.recent.query(CONNECTION, limit=50)
    }
    assert closed == {symbol: case[4] for symbol, case in CASES.items()}
    assert outcome is Outcome.IDLE
    books = paper.books()
    assert books["positions"] == []
    assert books["open_algo_orders"] == []
    assert sum(books["duplicates"].values()) == 0
    assert drift(gather.our_books(CONNECTION), gather.venue_books(books)) == []
