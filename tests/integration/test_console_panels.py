from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from tests.unit.console.pages import cells, find, has, text_of
from tests.unit.console.screens import NOW_MS, a_position, a_screen, an_order, holding

from console.panels.controls import controls
from console.panels.orders import orders_panel
from console.panels.positions import positions_panel, protected_quantity
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


def test_an_account_that_is_not_known_yet_is_never_called_paper(tmp_path: Path) -> None:
    screen = a_screen(tmp_path)

    unknown = replace(screen, connections=Screen().connections)

    assert find(safety_panel(unknown), "badge").text == "UNKNOWN"


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
        "armed", "\u2714 at exchange", "1 min 30 s",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "resting"),
    [
        ({}, "2"),
        ({"status": "partially_filled", "filled_quantity": "0.5"}, "1.5"),
        ({"status": "unknown"}, "0"),
        ({"status": "submitting"}, "0"),
        ({"purpose": "target"}, "0"),
        ({"position_id": "p2"}, "0"),
    ],
)
def test_only_stops_resting_at_the_exchange_protect(changes: dict[str, str], resting: str) -> None:
    assert protected_quantity(a_position(), [an_order(**changes)]) == Decimal(resting)


def test_a_position_without_its_whole_stop_is_called_out(tmp_path: Path) -> None:
    two = [an_order(quantity="0.5"), an_order(client_order_id="o2", quantity="0.7")]
    screen = holding(a_screen(tmp_path), [a_position()], two)

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


def test_stop_asks_once_more_and_names_its_engine(tmp_path: Path) -> None:
    screen = a_screen(tmp_path)
    assert find(controls(screen), "start").disabled
    assert not has(controls(screen), "stop")

    asked = controls(replace(screen, choice=replace(screen.choice, asks_stop=True)))

    assert "Stop Paper exchange?" in text_of(asked)
    assert find(asked, "toggle-close").pressed is False
    assert has(asked, "stop")


def test_a_stopped_engine_can_only_be_started(tmp_path: Path) -> None:
    screen = a_screen(tmp_path, desired_state="stopped", actual_state="stopped")

    assert not find(controls(screen), "start").disabled
    assert find(controls(screen), "ask-stop").disabled
