"""OKX's paper wire: what it takes and refuses, in OKX's codes, and how its rows read."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tests.wires.okx_desk import SWAP, Desk, a_stop, an_order
from tests.wires.scripted import BTC

from local.paper.core.records import PositionSide
from local.paper.core.refusals import Reason, RefusedError
from local.paper.market.instruments import by_symbol
from local.paper.venues.okx import contracts, errors, market_shapes, orders
from local.paper.venues.okx.parameters import Parameters
from local.paper.wire import Request, Trouble

D = Decimal
BOTH_SIDES = pytest.mark.parametrize(
    ("side", "closing", "sign"), [("buy", "sell", 1), ("sell", "buy", -1)]
)


def codes(answer: Any) -> tuple[str, str]:
    """The request's code, and the first order's."""
    rows = answer.body["data"]
    return answer.body["code"], rows[0].get("sCode", "") if rows else ""


@pytest.mark.parametrize(
    ("path", "given", "code"),
    [
        ("trade/order", an_order(sz="0.05"), "51121"),
        ("trade/order", an_order(sz="0"), "51000"),
        ("trade/order", an_order(sz="many"), "51000"),
        ("trade/order", an_order(sz=""), "50014"),
        ("trade/order", an_order(sz="900000"), "51004"),
        ("trade/order", an_order(sz="500"), "51008"),
        ("trade/order", an_order(instId="NOPE-USDT-SWAP"), "51001"),
        ("trade/order", an_order(instId="BTC-USDT"), "51001"),
        ("trade/order", an_order(side="hold"), "51000"),
        ("trade/order", an_order(ordType="nope"), "51000"),
        ("trade/order", an_order(tdMode="cash"), "51000"),
        ("trade/order", an_order(posSide="long"), "51000"),
        ("trade/order", an_order(reduceOnly=True), "51169"),
        ("trade/order", an_order(clOrdId="not-allowed"), "51000"),
        ("trade/order", an_order(clOrdId="x" * 33), "51000"),
        ("trade/order", an_order(unknown="1"), "51000"),
        ("trade/order", an_order(ordType="limit", px="50000.05"), "51000"),
        ("trade/order", an_order(ordType="limit"), "50014"),
        ("trade/order-algo", a_stop(51_000), "51280"),
        ("trade/order-algo", a_stop(49_000, side="buy"), "51278"),
        ("trade/order-algo", a_stop(49_000, ordType="oco"), "51000"),
        ("trade/order-algo", a_stop(49_000, closeFraction="0.5"), "51000"),
        ("trade/cancel-order", {"instId": SWAP, "clOrdId": "nobody"}, "51400"),
        ("trade/cancel-algos", [{"instId": SWAP, "algoClOrdId": "nobody"}], "51400"),
        ("trade/amend-order", {"instId": SWAP, "ordId": "77", "newSz": "1"}, "51503"),
    ],
)
def test_an_order_is_refused_with_its_own_code(
    tmp_path: Path, path: str, given: Any, code: str
) -> None:
    assert codes(Desk(tmp_path).post(path, given)) == ("1", code)


def test_a_target_that_was_passed_is_refused_on_both_sides(tmp_path: Path) -> None:
    desk = Desk(tmp_path)

    for side, price, code in (("sell", 49_000, "51279"), ("buy", 51_000, "51277")):
        target = {"tpTriggerPx": str(price), "tpOrdPx": "-1"}
        given = an_order(side=side, ordType="conditional", **target)
        assert desk.act("trade/order-algo", given)["sCode"] == code


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"secret": "wrong"}, "50113"),
        ({"ok-access-key": "unknown"}, "50111"),
        ({"ok-access-key": ""}, "50103"),
        ({"ok-access-passphrase": "wrong"}, "50105"),
        ({"stamp": "2020-01-01T00:00:00.000Z"}, "50102"),
        ({"stamp": "2040-01-01T00:00:00.000Z"}, "50102"),
        ({"stamp": "yesterday"}, "50112"),
    ],
)
def test_who_may_not_ask_gets_no_answer(tmp_path: Path, changed: dict[str, str], code: str) -> None:
    answer = Desk(tmp_path).asked("account/balance", {}, **changed)

    assert (answer.status, answer.body["code"], answer.body["data"]) == (401, code, [])


def test_a_signature_covers_the_body_and_the_query(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    path = "/api/v5/trade/order"
    headers = desk.headers(f"POST{path}{json.dumps(an_order())}")

    forged = Request(method="POST", path=path, body=json.dumps(an_order(sz="9")), headers=headers)
    other = Request(
        method="GET", path="/api/v5/account/positions", query="instType=SWAP",
        headers=desk.headers("GET/api/v5/account/positions"),
    )  # fmt: skip

    assert desk.wire.answer(forged).body["code"] == "50113"
    assert desk.wire.answer(other).body["code"] == "50113"


def test_an_order_that_arrives_after_its_deadline_is_not_carried_out(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    now_ms = desk.stage.now_ms()

    late = desk.post("trade/order", an_order(), exptime=str(now_ms - 1))
    timely = desk.post("trade/order", an_order(), exptime=str(now_ms))

    assert codes(late) == ("1", "51149")
    assert codes(timely) == ("0", "0")
    assert len(desk.rows("trade/orders-history", instType="SWAP")) == 1


def test_some_orders_of_a_request_may_be_refused_and_others_not(tmp_path: Path) -> None:
    answer = Desk(tmp_path).post("trade/batch-orders", [an_order(), an_order(sz="0.05")])

    assert answer.body["code"] == "2"
    assert [row["sCode"] for row in answer.body["data"]] == ["0", "51121"]


@pytest.mark.parametrize(
    ("path", "given"),
    [("trade/batch-orders", an_order()), ("trade/order", [an_order()]), ("trade/order", "x")],
)
def test_a_list_goes_where_a_list_belongs(tmp_path: Path, path: str, given: Any) -> None:
    assert Desk(tmp_path).post(path, given).body["code"] == "50002"


def test_a_client_s_id_stays_taken_for_a_day(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.order(clOrdId="mine")
    again = desk.act("trade/order", an_order(clOrdId="mine"))
    desk.stage.second += 86_401
    later = desk.act("trade/order", an_order(clOrdId="mine", side="sell"))

    assert (again["sCode"], again["clOrdId"], later["sCode"]) == ("51016", "mine", "0")
    assert desk.row("trade/order", instId=SWAP, clOrdId="mine")["side"] == "sell"


@BOTH_SIDES
def test_contracts_go_out_and_come_back(tmp_path: Path, side: str, closing: str, sign: int) -> None:
    desk = Desk(tmp_path)
    made = desk.order(side=side, sz="2.5", clOrdId="entry")
    held = desk.row("account/positions", instType="SWAP")
    desk.order(side=closing, sz="9", reduceOnly=True)
    order = desk.row("trade/order", instId=SWAP, ordId=made["ordId"])
    close, entry = desk.rows("trade/fills", instType="SWAP", instId=SWAP)

    assert desk.stage.held() == 0
    assert (held["pos"], held["posSide"], held["mgnMode"]) == (
        str(sign * D("2.5")), "net", "cross",
    )  # fmt: skip
    assert (order["state"], order["sz"], order["accFillSz"]) == ("filled", "2.5", "2.5")
    assert (entry["fillSz"], entry["clOrdId"], close["fillSz"]) == ("2.5", "entry", "2.5")
    price = D(entry["fillPx"])
    assert D(entry["fee"]) == -(D("0.025") * price * D("0.0005"))
    assert desk.rows("account/positions", instType="SWAP") == []


@BOTH_SIDES
def test_two_positions_of_a_symbol_have_a_side_each(
    tmp_path: Path, side: str, closing: str, sign: int
) -> None:
    desk = Desk(tmp_path)
    desk.post("account/set-position-mode", {"posMode": "long_short_mode"})
    name = "long" if sign > 0 else "short"
    desk.order(side=side, posSide=name)
    desk.order(side=closing, posSide="short" if sign > 0 else "long")
    rows = desk.rows("account/positions", instType="SWAP")
    no_side = desk.act("trade/order", an_order(side=side))
    too_much = desk.act("trade/order", an_order(side=closing, posSide=name, sz="5"))
    desk.order(side=closing, posSide=name)

    assert {row["posSide"]: row["pos"] for row in rows} == {"long": "1", "short": "1"}
    assert (no_side["sCode"], too_much["sCode"]) == ("51000", "51169")
    assert desk.stage.held(PositionSide(name.upper())) == 0


def test_with_two_positions_the_reduce_flag_means_nothing(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.post("account/set-position-mode", {"posMode": "long_short_mode"})
    desk.order(posSide="long", reduceOnly=True)
    desk.order(side="sell", posSide="long", reduceOnly=True)

    assert desk.rows("account/positions", instType="SWAP") == []


def test_an_opening_order_has_at_least_the_listed_size(tmp_path: Path) -> None:
    ether = by_symbol("ETHUSDT")
    listed = D(market_shapes.listing(ether)["minSz"])
    lot = contracts.lot(ether)
    too_few = Parameters({"sz": str(listed - lot)})

    assert listed > lot
    with pytest.raises(RefusedError, match="quantity_too_small"):
        orders.read_quantity(ether, too_few, opens=True)
    assert orders.read_quantity(ether, too_few, opens=False) == (listed - lot) * D("0.1")
    assert orders.read_quantity(ether, Parameters({"sz": str(listed)}), opens=True) > 0


def test_a_plain_order_and_a_stop_may_have_the_same_name(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.act("trade/order-algo", a_stop(49_000, algoClOrdId="same"))
    desk.order(clOrdId="same")

    assert desk.row("trade/order", instId=SWAP, clOrdId="same")["algoClOrdId"] == ""
    assert desk.row("trade/fills", instType="SWAP")["clOrdId"] == "same"


def test_the_position_mode_cannot_change_under_a_position(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    same = desk.post("account/set-position-mode", {"posMode": "net_mode"})
    desk.order()
    refused = desk.post("account/set-position-mode", {"posMode": "long_short_mode"})

    assert same.body["data"] == [{"posMode": "net_mode"}]
    assert (refused.body["code"], refused.status) == ("59000", 200)


def test_an_order_s_margin_mode_is_its_symbol_s_until_flat(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.order(tdMode="isolated")
    held = desk.row("account/positions", instType="SWAP")
    other = desk.act("trade/order", an_order(tdMode="cross"))
    added = desk.post(
        "account/position/margin-balance",
        {"instId": SWAP, "posSide": "net", "type": "add", "amt": "10"},
    )
    more = desk.row("account/positions", instType="SWAP")
    desk.order(side="sell", tdMode="isolated")
    desk.order(tdMode="cross")

    assert (held["mgnMode"], other["sCode"], added.body["code"]) == ("isolated", "51000", "0")
    assert D(more["margin"]) - D(held["margin"]) == 10
    assert desk.row("account/positions", instType="SWAP")["mgnMode"] == "cross"


def test_leverage_is_told_for_each_side_in_isolated_margin(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.post("account/set-position-mode", {"posMode": "long_short_mode"})
    given = {"instId": SWAP, "lever": "7", "mgnMode": "isolated"}
    no_side = desk.post("account/set-leverage", given)
    desk.post("account/set-leverage", given | {"posSide": "long"})
    rows = desk.rows("account/leverage-info", instId=SWAP, mgnMode="isolated")
    cross = desk.rows("account/leverage-info", instId=SWAP, mgnMode="cross")

    assert no_side.body["code"] == "51000"
    assert [(row["posSide"], row["lever"]) for row in rows] == [("long", "7"), ("short", "7")]
    assert [row["posSide"] for row in cross] == ["net"]


@BOTH_SIDES
def test_a_stop_that_fires_becomes_a_plain_order_that_names_it(
    tmp_path: Path, side: str, closing: str, sign: int
) -> None:
    desk = Desk(tmp_path, 50_000, 50_000, 50_000 - 1_000 * sign, second=0)
    desk.order(side=side)
    trigger = 50_000 - 500 * sign
    desk.act("trade/order-algo", a_stop(trigger, side=closing, algoClOrdId="stop1"))
    waiting = desk.row("trade/orders-algo-pending", instType="SWAP", ordType="conditional,oco")
    desk.stage.at(3)
    algo = desk.row("trade/order-algo", algoClOrdId="stop1")
    born = desk.row("trade/order", instId=SWAP, ordId=algo["ordId"])
    fill = desk.rows("trade/fills", instType="SWAP")[0]

    assert (waiting["slTriggerPx"], waiting["state"], waiting["ordId"]) == (
        str(trigger), "live", "",
    )  # fmt: skip
    assert (algo["state"], algo["ordIdList"], algo["actualSide"]) == (
        "effective", [born["ordId"]], "sl",
    )  # fmt: skip
    assert (born["clOrdId"], born["algoClOrdId"], born["algoId"]) == (
        "", "stop1", algo["algoId"],
    )  # fmt: skip
    assert (fill["ordId"], fill["clOrdId"]) == (born["ordId"], "")
    assert desk.get("trade/order", instId=SWAP, clOrdId="stop1").body["code"] == "51603"
    assert desk.rows("trade/orders-algo-pending", instType="SWAP", ordType="conditional") == []
    assert desk.stage.held() == 0


@BOTH_SIDES
def test_a_trigger_fires_from_whichever_side_the_price_comes(
    tmp_path: Path, side: str, closing: str, sign: int
) -> None:
    for ahead in (1, -1):
        desk = Desk(tmp_path / str(ahead), 50_000, 50_000, 50_000 + 1_000 * ahead, second=0)
        price = str(50_000 + 500 * ahead)
        given = an_order(side=side, ordType="trigger", triggerPx=price, orderPx="-1")
        assert desk.act("trade/order-algo", given)["sCode"] == "0"
        listed = desk.row("trade/orders-algo-pending", instType="SWAP", ordType="trigger")
        desk.stage.at(3)

        assert (listed["triggerPx"], listed["ordPx"]) == (price, "-1")
        assert desk.stage.held() == D("0.01") * sign


def test_a_trailing_stop_is_listed_with_its_ratio(tmp_path: Path) -> None:
    desk = Desk(tmp_path, 50_000, 50_000, 51_000, 50_000, second=0)
    desk.order()
    given = an_order(side="sell", ordType="move_order_stop", callbackRatio="0.01", reduceOnly=True)
    desk.act("trade/order-algo", given)
    desk.stage.at(2)
    moved = desk.row("trade/orders-algo-pending", instType="SWAP", ordType="move_order_stop")
    desk.stage.at(3)

    assert (moved["callbackRatio"], moved["moveTriggerPx"]) == ("0.01", "50490")
    assert desk.stage.held() == 0


def test_a_stop_on_the_whole_position_closes_it(tmp_path: Path) -> None:
    desk = Desk(tmp_path, 50_000, 50_000, 48_000, second=0)
    desk.order(sz="3")
    given = a_stop(49_000, closeFraction="1")
    del given["sz"]
    assert desk.act("trade/order-algo", given)["sCode"] == "0"
    desk.stage.at(3)

    assert desk.stage.held() == 0


@pytest.mark.parametrize("kind", ["post_only", "fok"])
def test_what_cannot_stand_is_taken_and_cancelled(tmp_path: Path, kind: str) -> None:
    desk = Desk(tmp_path)
    price = "51000" if kind == "post_only" else "49000"
    made = desk.order(ordType=kind, px=price)
    found = desk.row("trade/order", instId=SWAP, ordId=made["ordId"])

    assert (found["state"], found["accFillSz"], found["ordType"]) == ("canceled", "0", kind)


def test_a_resting_order_is_amended_and_cancelled_once(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.order(ordType="limit", px="40000", clOrdId="rest")
    named = {"instId": SWAP, "clOrdId": "rest"}
    desk.act("trade/amend-order", named | {"newSz": "2", "newPx": "41000"})
    amended = desk.row("trade/orders-pending", instType="SWAP")
    first = desk.act("trade/cancel-order", named)
    again = desk.act("trade/cancel-order", named)
    filled = desk.order(clOrdId="filled")
    gone = desk.act("trade/cancel-order", {"instId": SWAP, "ordId": filled["ordId"]})

    assert (amended["sz"], amended["px"]) == ("2", "41000")
    assert (first["sCode"], again["sCode"], gone["sCode"]) == ("0", "51401", "51402")


def test_lists_are_told_newest_first_in_pages(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    for number in range(5):
        desk.order(clOrdId=f"n{number}")
    newest = desk.rows("trade/fills", instType="SWAP", limit=2)
    older = desk.rows("trade/fills", instType="SWAP", limit=2, after=newest[-1]["billId"])
    newer = desk.rows("trade/fills", instType="SWAP", before=older[-1]["billId"])
    none = desk.rows("trade/fills", instType="SWAP", begin=desk.stage.now_ms() + 1)

    assert [row["clOrdId"] for row in (*newest, *older)] == ["n4", "n3", "n2", "n1"]
    assert [row["clOrdId"] for row in newer] == ["n4", "n3", "n2"]
    assert none == []


@BOTH_SIDES
def test_funding_is_a_bill_below_zero_for_who_pays(
    tmp_path: Path, side: str, closing: str, sign: int
) -> None:
    desk = Desk(tmp_path)
    desk.order(side=side, sz="10")
    desk.stage.exchange.charge_funding(BTC, D("0.0001"))
    bill = desk.row("account/bills", type="8")

    assert (bill["subType"], bill["instId"]) == ("173" if sign > 0 else "174", SWAP)
    assert D(bill["pnl"]) == D(bill["balChg"]) == -sign * D("0.1") * 50_000 * D("0.0001")


def test_what_the_venue_closes_is_marked(tmp_path: Path) -> None:
    for way, category, sub_type in (
        ("liquidate", "full_liquidation", "107"),
        ("deleverage", "adl", "128"),
    ):
        desk = Desk(tmp_path / way)
        desk.order()
        getattr(desk.stage.exchange, way)(BTC)
        fill = desk.rows("trade/fills", instType="SWAP")[0]
        order = desk.row("trade/order", instId=SWAP, ordId=fill["ordId"])

        assert (order["category"], fill["subType"]) == (category, sub_type)
        assert int(fill["tradeId"]) < 0


def test_candles_come_newest_first_between_two_moments(tmp_path: Path) -> None:
    desk = Desk(tmp_path, second=600)
    start_ms = (desk.stage.now_ms() // 60_000 - 5) * 60_000
    span = {"before": start_ms - 1, "after": start_ms + 3 * 60_000}
    rows = desk.rows("market/candles", instId=SWAP, bar="1m", **span)
    closed = desk.rows("market/history-candles", instId=SWAP, bar="1m", limit=2)
    newest = desk.rows("market/candles", instId=SWAP, bar="1m", limit=1)

    assert [int(row[0]) for row in rows] == [start_ms + n * 60_000 for n in (2, 1, 0)]
    assert {row[8] for row in rows} == {"1"}
    assert D(rows[0][5]) * D("0.01") == D(rows[0][6])  # contracts, and base
    assert int(closed[0][0]) == start_ms + 4 * 60_000
    assert (int(newest[0][0]), newest[0][8]) == (start_ms + 5 * 60_000, "0")
    assert desk.get("market/candles", instId=SWAP, bar="1s").body["code"] == "51000"


def test_trades_are_paged_back_by_time_and_by_id(tmp_path: Path) -> None:
    desk = Desk(tmp_path, second=300)
    now_ms = desk.stage.now_ms()
    first = desk.rows("market/history-trades", instId=SWAP, type="2", after=now_ms - 9_000, limit=3)
    then = desk.rows(
        "market/history-trades", instId=SWAP, type="1", after=first[-1]["tradeId"], limit=2
    )
    times = [int(row["ts"]) for row in (*first, *then)]

    older = desk.rows("market/history-trades", instId=SWAP, type="2", after=times[0], limit=1)

    assert times == [now_ms - 9_400 - 1_000 * n for n in range(5)]
    assert int(older[0]["ts"]) == times[1]


@pytest.mark.parametrize("trouble", list(Trouble))
def test_every_trouble_has_words(tmp_path: Path, trouble: Trouble) -> None:
    answer = Desk(tmp_path).wire.troubled(trouble, until_ms=0)

    assert answer.raw or answer.body["code"] != "0"


@pytest.mark.parametrize(
    "reason", [one for one in Reason if one.value not in ("post_only_would_take", "fill_or_kill")]
)
def test_every_refusal_has_words(reason: Reason) -> None:
    assert errors.refused(reason).code.isdigit()
