from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.tools.console.pages import cells, every, find, has, text_of
from tests.tools.console.screens import NOW_MS, a_position, a_screen, an_order, holding

from console.panels.controls import controls
from console.panels.orders import orders_panel
from console.panels.positions import positions_panel
from console.panels.safety import safety_panel
from console.panels.totals import totals_panel
from console.state import Screen


@pytest.mark.parametrize(
    ("paper", "testnet", "word"),
    [(True, False, "PAPER"), (False, True, "TESTNET"), (False, False, "LIVE")],
)
def test_the_badge_says_how_real_the_money_is(
    tmp_path: Path, paper: bool, testnet: bool, word: str
) -> None:
    screen = a_screen(tmp_path, is_paper=paper, is_testnet=testnet)

    assert find(safety_panel(screen), "badge").text == word


def test_before_an_account_is_known_it_is_not_called_paper() -> None:
    assert find(safety_panel(Screen(now_ms=NOW_MS)), "badge").text == "CTS"


def test_loading_shows_how_far_it_has_come(tmp_path: Path) -> None:
    panel = safety_panel(a_screen(tmp_path, actual_state="starting", loading_progress=62))

    assert text_of(find(panel, "loading")) == (
        "loading history \u00b7 62 % \u00b7 62.0 % of history covered"
    )
    assert "starting" in text_of(find(panel, "engine"))
    assert "wanted: running" in text_of(panel)


def test_an_engine_that_runs_shows_no_loading_bar_and_no_error(tmp_path: Path) -> None:
    panel = safety_panel(a_screen(tmp_path))

    assert "as wanted" in text_of(panel)
    assert not has(panel, "loading")
    assert not has(panel, "last-error")


@pytest.mark.parametrize(
    ("state", "restraint", "said"),
    [
        ("reducing", "daily_loss", "reducing, opens nothing: daily loss"),
        ("halted", "", "halted, opens nothing: emergency"),
    ],
)
def test_an_account_whose_losses_restrain_it_says_so(
    tmp_path: Path, state: str, restraint: str, said: str
) -> None:
    panel = safety_panel(a_screen(tmp_path, trading_state=state, restraint=restraint))

    assert said in text_of(panel)
    assert "opens nothing" not in text_of(safety_panel(a_screen(tmp_path)))


def test_the_last_error_stands_in_the_bar(tmp_path: Path) -> None:
    panel = safety_panel(a_screen(tmp_path, error="history of BTCUSDT is missing"))

    assert "history of BTCUSDT is missing" in text_of(find(panel, "last-error"))


def test_data_grows_old_while_the_api_is_silent(tmp_path: Path) -> None:
    screen = a_screen(tmp_path)

    later = safety_panel(replace(screen, now_ms=NOW_MS + 42_000))

    assert find(later, "data-age").text == "42 s"
    assert "late" in text_of(later)
    assert "stale" in later.kind


def test_before_the_first_answer_there_is_no_data_and_no_zero() -> None:
    empty = Screen(now_ms=NOW_MS)

    for panel in (totals_panel, positions_panel, orders_panel):
        shown = panel(empty)
        assert "No data yet" in text_of(shown)
        assert not any(letter.isdigit() for letter in text_of(shown))
    assert "Waiting for the API" in text_of(safety_panel(empty))


def test_without_positions_the_table_says_so(tmp_path: Path) -> None:
    screen = a_screen(tmp_path, has_positions=False)

    assert "No open positions" in text_of(positions_panel(screen))
    assert "No orders yet" in text_of(orders_panel(screen))


def test_a_stale_panel_says_how_old_it_is(tmp_path: Path) -> None:
    screen = a_screen(tmp_path)

    later = replace(screen, now_ms=NOW_MS + 65_000)

    for panel in (positions_panel, orders_panel, totals_panel):
        assert "stale" not in panel(screen).kind
        assert "stale" in panel(later).kind
        assert "1 min 05 s old" in find(panel(later), "stale").text


@pytest.mark.parametrize(("side", "mark"), [("LONG", "\u25b2"), ("SHORT", "\u25bc")])
def test_a_position_row_reads_from_left_to_right(tmp_path: Path, side: str, mark: str) -> None:
    held = a_position(side=side, trailing_armed=True)
    screen = holding(a_screen(tmp_path), [held], [an_order(side=side)])

    row = cells(find(positions_panel(screen), "p1"))

    assert row == [
        f"{mark} {side}", "BTCUSDT", "2", "100.0", "101.0", "+2.00 +1.00 %", "99.0", "104.0",
        "armed", "\u2714 at exchange", "1 min 30 s", "\u2715",
    ]  # fmt: skip


def test_a_position_without_its_whole_stop_is_called_out(tmp_path: Path) -> None:
    bare = a_position(protected_quantity="1.2", is_protected=False)
    screen = holding(a_screen(tmp_path), [bare], [])

    panel = positions_panel(screen)

    assert cells(find(panel, "p1"))[9] == "\u26a0 0.8 open"
    assert find(panel, "unprotected").text == "\u26a0 1 not protected"


def test_an_order_of_unknown_fate_comes_first_and_in_red(tmp_path: Path) -> None:
    newer = an_order(client_order_id="o2", created_at_ms=NOW_MS - 1_000)
    unclear = an_order(status="unknown", error_message="no answer")
    screen = holding(a_screen(tmp_path), [a_position()], [newer, unclear])

    rows = find(orders_panel(screen), "orders-table").children[1].children

    assert [row.of for row in rows] == ["o1", "o2"]
    assert rows[0].children[0].text == "? UNKNOWN"
    assert "bad" in rows[0].children[0].kind
    assert rows[0].children[0].hint == "no answer"


def test_an_order_shows_what_it_paid_once_it_is_filled(tmp_path: Path) -> None:
    filled = an_order(status="filled", filled_quantity="2", average_price="98.9")
    screen = holding(a_screen(tmp_path), [], [filled, an_order(client_order_id="o2")])

    panel = orders_panel(screen)

    assert cells(find(panel, "o1"))[4:6] == ["2  / 2", "98.9"]
    assert cells(find(panel, "o2"))[4:6] == ["0  / 2", "99.0"]


def test_totals_count_what_the_engine_counted(tmp_path: Path) -> None:
    panel = totals_panel(a_screen(tmp_path))

    assert find(panel, "signals").text == "7"
    assert find(panel, "sets-real").text == "287"
    assert find(panel, "orders-unknown").text == "1"
    assert cells(find(panel, "cadence").children[1])[1:] == ["99.0 %", "6.1 ms", "14.2 ms"]


def asking(screen: Screen, asks: str, **changes: Any) -> Screen:
    return replace(screen, choice=replace(screen.choice, asks=asks, **changes))


def test_stop_asks_once_more_and_names_its_engine(tmp_path: Path) -> None:
    screen = a_screen(tmp_path)
    assert find(controls(screen), "do:start").disabled
    assert not has(controls(screen), "do:stop")

    asked = controls(asking(screen, "stop"))

    assert "Stop Paper exchange?" in text_of(asked)
    assert find(asked, "tick").pressed is False
    assert has(asked, "do:stop")


def test_a_stopped_engine_can_only_be_started_or_stopped_in_an_emergency(tmp_path: Path) -> None:
    shown = controls(a_screen(tmp_path, desired_state="stopped", actual_state="stopped"))

    disabled = {part.action for part in every(shown) if part.disabled}
    assert disabled == {"do:pause", "ask:stop"}
    assert not find(shown, "do:start").disabled
    assert not find(shown, "ask:emergency").disabled


def test_a_paused_engine_can_be_resumed(tmp_path: Path) -> None:
    screen = a_screen(tmp_path, desired_state="paused", actual_state="paused")

    assert not find(controls(screen), "do:resume").disabled
    assert not has(controls(screen), "do:pause")
    assert "paused" in text_of(find(safety_panel(screen), "engine"))


def test_the_emergency_stop_says_what_it_would_hit(tmp_path: Path) -> None:
    asked = controls(asking(a_screen(tmp_path), "emergency", ticked=True))

    assert "EMERGENCY STOP of Paper exchange, 5 positions open?" in text_of(asked)
    assert find(asked, "tick").pressed is True
    assert has(asked, "do:emergency")


def latched(tmp_path: Path, **changes: Any) -> Screen:
    held = {
        "since_ms": NOW_MS - 2_500, "by": "Ann", "reason": "prices are wrong", "flatten": True,
        "verified": False,
    }  # fmt: skip
    return a_screen(tmp_path, actual_state="emergency_stopped", emergency=held | changes)


def test_a_latched_engine_shows_how_far_it_is_flat(tmp_path: Path) -> None:
    numbers = {"closed_positions": 3, "cancelled_entries": 2}
    panel = safety_panel(holding(latched(tmp_path, **numbers), [a_position()], []))

    assert "latched" in panel.kind
    assert "by Ann: prices are wrong" in text_of(find(panel, "emergency"))
    assert text_of(find(panel, "emergency-progress")) == (
        "flattening for 2.5 s \u00b7 1 open \u00b7 3 closed \u00b7 2 entries cancelled"
        " \u00b7 not verified yet"
    )
    bars = [part.fill_pct for part in every(find(panel, "emergency")) if part.fill_pct is not None]
    assert bars == [75]
    assert not has(panel, "do:start")
    assert has(panel, "ask:reset")


def test_what_the_machine_has_not_told_yet_is_left_out(tmp_path: Path) -> None:
    progress = text_of(find(safety_panel(latched(tmp_path)), "emergency-progress"))

    assert "5 open \u00b7 not verified yet" in progress


def test_a_loop_that_took_its_lease_a_moment_ago_has_not_ticked_yet(tmp_path: Path) -> None:
    screen = a_screen(tmp_path)
    told = screen.snapshot.value
    assert told is not None
    loop = told.engine.position_loop.model_copy(update={"age_ms": None})
    engine = told.engine.model_copy(update={"position_loop": loop})
    known = replace(screen.snapshot, value=told.model_copy(update={"engine": engine}))

    panel = safety_panel(replace(screen, snapshot=known))

    assert "alive no tick yet" in text_of(panel)


def test_a_verified_stop_says_how_long_it_took_and_stays(tmp_path: Path) -> None:
    proof = {
        "verified": True, "verified_at_ms": NOW_MS, "time_to_flat_ms": 1_900, "open_positions": 0,
        "left": ["DOGEUSDT LONG 5"],
    }  # fmt: skip
    panel = safety_panel(latched(tmp_path, **proof))

    progress = text_of(find(panel, "emergency-progress"))
    assert "verified flat at" in progress
    assert "time to flat 1.9 s" in progress
    assert "nothing starts before an admin resets it" in progress
    assert "DOGEUSDT LONG 5" in text_of(find(panel, "emergency-left"))


def test_a_stop_that_kept_positions_never_says_flat(tmp_path: Path) -> None:
    proof = {"verified": True, "verified_at_ms": NOW_MS, "flatten": False, "open_positions": 2}

    progress = text_of(find(safety_panel(latched(tmp_path, **proof)), "emergency-progress"))

    assert "2 open with stops" in progress
    assert "flat" not in progress.replace("flattening", "")


def test_closing_a_position_names_it_first(tmp_path: Path) -> None:
    screen = holding(a_screen(tmp_path), [a_position()], [])
    assert find(positions_panel(screen), "ask:close:p1").text == "\u2715"

    asked = positions_panel(asking(screen, "close:p1"))

    assert "Close LONG BTCUSDT 2?" in text_of(asked)
    assert has(asked, "do:close:p1")
    assert not has(controls(asking(screen, "close:p1")), "do:close:p1")


def test_all_and_the_gaining_can_be_closed_where_something_is_open(tmp_path: Path) -> None:
    held = positions_panel(a_screen(tmp_path))
    flat = positions_panel(a_screen(tmp_path, has_positions=False))

    for action in ("ask:close-all", "ask:close-profitable"):
        assert has(held, action)
        assert not has(flat, action)


def test_equity_and_alerts_stand_in_the_bar(tmp_path: Path) -> None:
    panel = safety_panel(a_screen(tmp_path, alerts={"critical": 1, "medium": 2}))

    assert find(panel, "equity").text == "10\u202f240.50"
    assert "today \u221212.75" in text_of(panel)
    assert find(panel, "alerts").text == "\u26a0 3"
    assert "1 critical, 2 medium" in text_of(panel)
    assert find(safety_panel(a_screen(tmp_path)), "alerts").text == "\u25cf none"


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (401, "the API does not let this console in (401): why"),
        (429, "the API was asked too often (429): why"),
        (503, "the API is not available (503): why"),
    ],
)
def test_a_refusal_is_told_in_place_of_data_and_above_old_data(
    tmp_path: Path, status: int, said: str
) -> None:
    first = a_screen(tmp_path, refusal=(status, "why"))
    assert said in text_of(safety_panel(first))
    assert "is CTS up" not in text_of(safety_panel(first))
    for panel in (positions_panel, orders_panel, totals_panel):
        assert said in text_of(panel(first))

    known = a_screen(tmp_path)
    failed = known.snapshot.failed(said, refused=True)
    later = safety_panel(replace(known, snapshot=failed, now_ms=NOW_MS + 9_000))
    assert find(later, "silence").children[0].text == f"\u26a0 {said}"
    assert find(later, "api").text == "\u26a0 refuses"
    assert "stale" in later.kind
