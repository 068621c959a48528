from pathlib import Path

from tests.console_api import CONNECTION
from tests.unit.console.screens import Clock, a_client, an_api

from console.models import Candles, Cycle
from console.reader import SELDOM, Reader
from console.state import KEPT_CANDLES, Tally, joined, tallied


async def test_one_refresh_fills_every_panel_of_the_first_engine(tmp_path: Path) -> None:
    clock = Clock()
    reader = Reader(a_client(an_api(clock), tmp_path), clock)

    await reader.refresh()

    screen = reader.screen
    assert (screen.choice.connection_id, screen.choice.symbol) == (CONNECTION, "BTCUSDT")
    readings = (
        screen.status, screen.connections, screen.performance, screen.positions, screen.working,
        screen.orders, screen.candles,
    )  # fmt: skip
    assert all(reading.at_ms == clock.now_ms and not reading.problem for reading in readings)


async def test_what_changes_slowly_is_read_seldom(tmp_path: Path) -> None:
    clock = Clock()
    api = an_api(clock)
    reader = Reader(a_client(api, tmp_path), clock)

    for _ in range(SELDOM):
        await reader.refresh()

    paths = [path for _, path, _ in api.asked]
    assert paths.count("/api/trade-engine/status") == SELDOM
    assert paths.count("/api/settings/connections") == 1


async def test_old_answers_stay_with_their_age_while_nothing_answers(tmp_path: Path) -> None:
    clock = Clock()
    api = an_api(clock)
    reader = Reader(a_client(api, tmp_path), clock)
    await reader.refresh()

    api.down = True
    clock.now_ms += 5_000
    await reader.refresh()

    positions = reader.screen.positions
    assert positions.value is not None
    assert positions.is_stale(clock.now_ms)
    assert positions.age_ms(clock.now_ms) == 5_000
    assert "nothing answers" in positions.problem


async def test_the_first_answer_after_silence_heals_every_panel(tmp_path: Path) -> None:
    clock = Clock()
    api = an_api(clock, down=True)
    reader = Reader(a_client(api, tmp_path), clock)
    await reader.refresh()
    assert reader.screen.status.value is None

    api.down = False
    await reader.refresh()

    assert reader.screen.status.problem == ""
    assert reader.screen.candles.value is not None


async def test_another_symbol_never_shows_the_candles_of_the_one_before(tmp_path: Path) -> None:
    clock = Clock()
    api = an_api(clock)
    reader = Reader(a_client(api, tmp_path), clock)
    await reader.refresh()

    api.down = True
    await reader.turn_to("ETHUSDT")
    before = reader.screen.candles.value
    api.down = False
    await reader.refresh()
    after = reader.screen.candles.value

    assert before is None
    assert after is not None
    assert after.symbol == "ETHUSDT"


async def test_later_refreshes_ask_for_few_candles_and_keep_the_many(tmp_path: Path) -> None:
    clock = Clock()
    api = an_api(clock)
    reader = Reader(a_client(api, tmp_path), clock)

    await reader.refresh()
    clock.now_ms += 3_000
    await reader.refresh()

    limits = [asked["limit"] for _, path, asked in api.asked if path == "/api/market-data"]
    known = reader.screen.candles.value
    assert limits == [str(KEPT_CANDLES), "14"]
    assert known is not None
    assert len(known.candles) == KEPT_CANDLES
    times = [candle.time_ms for candle in known.candles]
    assert times == list(range(times[0], times[0] + 1000 * KEPT_CANDLES, 1000))


async def test_every_tick_is_counted_once_however_often_it_is_read(tmp_path: Path) -> None:
    clock = Clock()
    reader = Reader(a_client(an_api(clock), tmp_path), clock)

    for _ in range(2 * SELDOM):
        await reader.refresh()
        clock.now_ms += 1_000
    await reader.refresh()

    tally = reader.screen.tally.value
    assert tally is not None
    seconds = (tally.last_ms - tally.since_ms) // 1000 + 1
    assert seconds > SELDOM
    assert tally.counts["opened"] == 31 * seconds


def test_a_tally_with_a_hole_begins_anew() -> None:
    def ticks(*seconds: int) -> list[Cycle]:
        return [Cycle(slot_ms=1000 * second, counts={"opened": 1}) for second in seconds]

    known = tallied(None, ticks(3, 2, 1))

    assert known == Tally(since_ms=1000, last_ms=3000, counts={"opened": 3})
    assert tallied(known, []) == known
    assert tallied(known, ticks(5, 4, 3)) == Tally(
        since_ms=1000, last_ms=5000, counts={"opened": 5}
    )
    assert tallied(known, ticks(9, 8)) == Tally(since_ms=8000, last_ms=9000, counts={"opened": 2})


def test_candles_after_a_hole_replace_those_before_it() -> None:
    def some(*seconds: int) -> Candles:
        blank = dict.fromkeys(("open", "high", "low", "close", "volume"))
        rows = [{"time_ms": 1000 * second, **blank} for second in seconds]
        return Candles.model_validate({"symbol": "BTCUSDT", "spanMs": 1000, "candles": rows})

    assert joined(some(1, 2, 3), some(3, 4)) == some(1, 2, 3, 4)
    assert joined(some(1, 2, 3), some(4, 5)) == some(1, 2, 3, 4, 5)
    assert joined(some(1, 2, 3), some(9, 10)) == some(9, 10)
    assert joined(some(1, 2, 3), some()) == some()
