from pathlib import Path

import httpx
from tests.console_api import CONNECTION
from tests.tools.console.screens import Clock, a_client, an_address, an_api

from console.client import Client
from console.models import Candles, Cycle
from console.reader import SELDOM, Reader
from console.state import KEPT_CANDLES, Tally, chosen, joined, tallied


async def test_one_refresh_is_one_call_and_fills_every_panel(tmp_path: Path) -> None:
    clock = Clock()
    api = an_api(clock)
    reader = Reader(a_client(api, tmp_path), clock)

    await reader.refresh()

    screen = reader.screen
    assert [(method, path) for method, path, _ in api.asked] == [("GET", "/api/snapshot")]
    assert (screen.choice.connection_id, screen.choice.symbol) == (CONNECTION, "BTCUSDT")
    assert screen.snapshot.at_ms == clock.now_ms
    assert not screen.snapshot.problem
    assert None not in (screen.engine, screen.account, screen.candles, screen.tally, screen.cadence)


async def test_every_later_refresh_is_one_call_for_what_came_since(tmp_path: Path) -> None:
    clock = Clock()
    api = an_api(clock)
    reader = Reader(a_client(api, tmp_path), clock)

    for _ in range(2 * SELDOM):
        await reader.refresh()
        clock.now_ms += 1_000

    asked = [values for _, _, values in api.asked]
    assert {path for _, path, _ in api.asked} == {"/api/snapshot"}
    assert [values["cadence"] for values in asked] == 2 * (["true"] + ["false"] * (SELDOM - 1))
    assert (asked[0]["candles"], asked[0]["ticks"]) == (str(KEPT_CANDLES), "300")
    assert {(values["candles"], values["ticks"]) for values in asked[1:]} == {("12", "11")}
    assert {values.get("connectionId") for values in asked[1:]} == {CONNECTION}


async def test_old_answers_stay_with_their_age_while_nothing_answers(tmp_path: Path) -> None:
    clock = Clock()
    api = an_api(clock)
    reader = Reader(a_client(api, tmp_path), clock)
    await reader.refresh()

    api.down = True
    clock.now_ms += 5_000
    await reader.refresh()

    snapshot = reader.screen.snapshot
    assert reader.screen.positions
    assert snapshot.is_stale(clock.now_ms)
    assert snapshot.age_ms(clock.now_ms) == 5_000
    assert "nothing answers" in snapshot.problem


async def test_the_first_answer_after_silence_heals_every_panel(tmp_path: Path) -> None:
    clock = Clock()
    api = an_api(clock, down=True)
    reader = Reader(a_client(api, tmp_path), clock)
    await reader.refresh()
    assert reader.screen.snapshot.value is None

    api.down = False
    await reader.refresh()

    assert reader.screen.snapshot.problem == ""
    assert reader.screen.candles is not None


async def test_an_account_that_is_gone_gives_way_to_the_first(tmp_path: Path) -> None:
    clock = Clock()
    reader = Reader(a_client(an_api(clock), tmp_path), clock)
    reader.screen = chosen(reader.screen, connection_id="c-gone", symbol="BTCUSDT")

    await reader.refresh()
    await reader.refresh()

    assert reader.screen.choice.connection_id == CONNECTION
    assert reader.screen.engine is not None


async def test_an_api_that_asks_for_patience_gets_it_until_it_answers(tmp_path: Path) -> None:
    refusal = httpx.Response(429, headers={"retry-after": "7"}, json={"error": "too often"})
    answers = [refusal]
    clock = Clock()
    ready = an_api(clock).transport()

    async def handle(request: httpx.Request) -> httpx.Response:
        return answers.pop() if answers else await ready.handle_async_request(request)

    client = Client(an_address(tmp_path), transport=httpx.MockTransport(handle))
    reader = Reader(client, clock)

    await reader.refresh()
    waited_s = reader.wait_s
    await reader.refresh()

    assert (waited_s, reader.wait_s) == (7, 0)


async def test_another_symbol_never_shows_the_candles_of_the_one_before(tmp_path: Path) -> None:
    clock = Clock()
    api = an_api(clock)
    reader = Reader(a_client(api, tmp_path), clock)
    await reader.refresh()

    api.down = True
    await reader.turn_to("ETHUSDT")
    before = reader.screen.candles
    api.down = False
    await reader.refresh()
    after = reader.screen.candles

    assert before is None
    assert after is not None
    assert after.symbol == "ETHUSDT"


async def test_later_refreshes_keep_the_many_candles(tmp_path: Path) -> None:
    clock = Clock()
    reader = Reader(a_client(an_api(clock), tmp_path), clock)

    await reader.refresh()
    clock.now_ms += 3_000
    await reader.refresh()

    known = reader.screen.candles
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

    tally = reader.screen.tally
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
