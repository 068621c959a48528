"""What is sent to Binance, and what becomes of answers no paper exchange gives."""

import asyncio
from decimal import Decimal
from typing import Any

import pytest
from tests.fakes import FakeClock
from tests.scripted_wire import ScriptedWire

from adapters.exchange import CcxtExchange
from adapters.failures import ClockSkewError, VenueUnclearError
from adapters.venues.binance import BinanceUsdm
from adapters.venues.okx import OkxSwap
from adapters.wire import Wire
from engine.errors import VenueBusyError, VenueRefusedError
from engine.events import NotFound, OrderUpdate, SendUnclear, Snapshot, SnapshotFailed, Unclear
from engine.ledger import Order, OrderState, OrderType, Purpose
from engine.values import Side

ID = "ctse000" + "a" * 25
PLACED = {
    "orderId": 7, "status": "FILLED", "executedQty": "0.01", "avgPrice": "5.5", "updateTime": 1,
}  # fmt: skip
CONDITIONAL = {"algoId": 9, "clientAlgoId": ID, "algoStatus": "NEW", "actualOrderId": ""}
OKX_LISTED = [
    {"instType": "SWAP", "instId": "BTC-USDT-SWAP", "ctVal": "0.01", "ctMult": "1",
     "ctType": "linear", "settleCcy": "USDT"},
]  # fmt: skip
BOTH_SIDES = pytest.mark.parametrize("side", [Side.LONG, Side.SHORT])
POST, POST_CONDITIONAL = "fapiPrivatePostOrder", "fapiPrivatePostAlgoOrder"


def a_wire(**answers: Any) -> ScriptedWire:
    return ScriptedWire("binance", BinanceUsdm(), answers)


def an_exchange(wire: Wire, *, hedge: bool | None = False) -> CcxtExchange:
    return CcxtExchange(wire, BinanceUsdm(), FakeClock(), hedge=hedge)


def an_order(side: Side = Side.LONG, purpose: Purpose = Purpose.ENTRY) -> Order:
    conditional = purpose in (Purpose.STOP, Purpose.TARGET)
    return Order(
        client_order_id=ID,
        position_id="p",
        purpose=purpose,
        attempt=0,
        symbol="BTCUSDT",
        side=side,
        order_type=OrderType.STOP_MARKET if conditional else OrderType.MARKET,
        quantity=Decimal("0.010"),
        trigger_price=Decimal("60000.0") if conditional else None,
    )


@BOTH_SIDES
@pytest.mark.parametrize("purpose", list(Purpose))
async def test_with_two_positions_an_order_names_its_side_and_is_never_reduce_only(
    side: Side, purpose: Purpose
) -> None:
    wire = a_wire(**{POST: PLACED, POST_CONDITIONAL: CONDITIONAL})
    await an_exchange(wire, hedge=True).send(an_order(side, purpose), valid_ms=2000)

    params = wire.asked[-1][1]
    assert params["positionSide"] == side
    assert params["side"] == (side.exit if purpose.reduces else side.entry)
    assert "reduceOnly" not in params


@BOTH_SIDES
@pytest.mark.parametrize("purpose", list(Purpose))
async def test_with_one_position_whatever_does_not_enter_is_reduce_only(
    side: Side, purpose: Purpose
) -> None:
    wire = a_wire(**{POST: PLACED, POST_CONDITIONAL: CONDITIONAL})
    await an_exchange(wire).send(an_order(side, purpose), valid_ms=2000)

    params = wire.asked[-1][1]
    assert ("reduceOnly" in params) == purpose.reduces
    assert "positionSide" not in params
    assert (params["quantity"], params["recvWindow"]) == ("0.01", 2000)


async def test_a_stop_goes_where_conditional_orders_live_and_watches_the_last_price() -> None:
    wire = a_wire(**{POST_CONDITIONAL: CONDITIONAL})
    await an_exchange(wire).send(an_order(purpose=Purpose.STOP), valid_ms=2000)

    method, params = wire.asked[-1]
    assert method == POST_CONDITIONAL
    assert params["clientAlgoId"] == ID
    assert params["triggerPrice"] == "60000"
    assert params["workingType"] == "CONTRACT_PRICE"


@pytest.mark.parametrize("answer", [{}, [], None, "<html>", PLACED | {"status": "STRANGE"}])
async def test_an_answer_that_cannot_be_read_is_unclear(answer: Any) -> None:
    found = await an_exchange(a_wire(**{POST: answer})).send(an_order(), valid_ms=2000)

    assert isinstance(found, SendUnclear)
    assert found.why is Unclear.VENUE


@pytest.mark.parametrize(
    "error", [VenueBusyError("429"), ClockSkewError("-1021"), VenueRefusedError("-2019 no")]
)
async def test_what_was_surely_not_carried_out_is_rejected(error: Exception) -> None:
    found = await an_exchange(a_wire(**{POST: error})).send(an_order(), valid_ms=2000)

    assert isinstance(found, OrderUpdate)
    assert found.state is OrderState.REJECTED
    assert found.reason == str(error)


async def test_a_duplicate_that_cannot_be_found_stays_unclear() -> None:
    wire = a_wire(
        fapiPrivatePostOrder=VenueRefusedError("-4116 duplicated", code="-4116"),
        fapiPrivateGetOrder=VenueRefusedError("-2013 no such order", code="-2013"),
    )
    found = await an_exchange(wire).send(an_order(), valid_ms=2000)

    assert isinstance(found, SendUnclear)


async def test_a_duplicate_that_is_found_is_the_order() -> None:
    wire = a_wire(
        fapiPrivatePostOrder=VenueRefusedError("-4116 duplicated", code="-4116"),
        fapiPrivateGetOrder=PLACED,
    )
    found = await an_exchange(wire).send(an_order(), valid_ms=2000)

    assert isinstance(found, OrderUpdate)
    assert found.state is OrderState.FILLED


async def test_an_order_that_could_only_leave_late_does_not_leave() -> None:
    async def never() -> Any:
        await asyncio.Event().wait()

    wire = a_wire(fapiPrivateGetPositionSideDual=never, fapiPrivatePostOrder=PLACED)
    found = await an_exchange(wire, hedge=None).send(an_order(), valid_ms=2000)

    assert isinstance(found, OrderUpdate)
    assert found.state is OrderState.REJECTED
    assert [method for method, _ in wire.asked] == ["fapiPrivateGetPositionSideDual"]


@BOTH_SIDES
@pytest.mark.parametrize("hedge", [False, True])
async def test_nothing_is_entered_in_another_position_mode_than_was_prepared(
    side: Side, hedge: bool
) -> None:
    wire = a_wire(
        fapiPrivateGetPositionSideDual={"dualSidePosition": not hedge},
        fapiPrivateGetOpenOrders=VenueBusyError("503"),
        fapiPrivatePostOrder=PLACED,
    )
    clock = FakeClock()
    exchange = CcxtExchange(wire, BinanceUsdm(), clock, hedge=hedge)
    clock.advance(60_000)

    assert isinstance(await exchange.snapshot(), SnapshotFailed)  # only the mode was heard
    entry = await exchange.send(an_order(side), valid_ms=2000)
    close = await exchange.send(an_order(side, Purpose.CLOSE), valid_ms=2000)

    assert isinstance(entry, OrderUpdate)
    assert entry.state is OrderState.REJECTED
    assert "position mode" in entry.reason
    assert isinstance(close, OrderUpdate)
    assert close.state is OrderState.FILLED
    assert len(wire.sent("fapiPrivatePostOrder")) == 1


async def test_a_new_owner_reads_the_position_mode_again() -> None:
    wire = a_wire(fapiPrivateGetPositionSideDual={"dualSidePosition": False}, **{POST: PLACED})
    exchange = an_exchange(wire, hedge=True)  # as it was when this worker had the account last

    exchange.recall(())
    await exchange.send(an_order(purpose=Purpose.CLOSE), valid_ms=2000)

    assert "positionSide" not in wire.sent(POST)[0]


async def test_after_a_refusal_the_next_snapshot_reads_the_position_mode() -> None:
    wire = a_wire(
        fapiPrivateGetPositionSideDual={"dualSidePosition": False},
        fapiPrivateGetOpenOrders=[],
        fapiPrivateGetOpenAlgoOrders=[],
        fapiPrivateV3GetPositionRisk=[],
        **{POST: VenueRefusedError("-4061 position side does not match", code="-4061")},
    )
    exchange = an_exchange(wire, hedge=True)
    await exchange.send(an_order(purpose=Purpose.CLOSE), valid_ms=2000)

    assert await hedge_seen(exchange) is False


async def test_an_order_whose_dialect_reads_too_long_first_does_not_leave() -> None:
    wire = ScriptedWire("okx", OkxSwap(), {})
    clock = FakeClock()

    async def slowly() -> Any:
        clock.advance(900)
        held = {"instId": "BTC-USDT-SWAP", "pos": "1", "mgnMode": "cross"}
        return {"code": "0", "data": [held], "msg": ""}

    wire.answers = {
        "publicGetPublicInstruments": {"code": "0", "data": OKX_LISTED, "msg": ""},
        "privateGetAccountPositions": slowly,
        "privatePostTradeOrder": {"code": "0", "data": [{"ordId": "7", "sCode": "0"}], "msg": ""},
    }
    exchange = CcxtExchange(wire, OkxSwap(), clock, hedge=False)
    found = await exchange.send(an_order(), valid_ms=2000)

    assert isinstance(found, OrderUpdate)
    assert found.state is OrderState.REJECTED
    assert "too late" in found.reason
    assert wire.asked[-1][0] == "privateGetAccountPositions"


async def test_a_born_order_not_visible_yet_is_not_called_missing() -> None:
    wire = a_wire(
        fapiPrivateGetAlgoOrder=CONDITIONAL | {"algoStatus": "TRIGGERED", "actualOrderId": "77"},
        fapiPrivateGetOrder=VenueRefusedError("-2013 no such order", code="-2013"),
    )
    found = await an_exchange(wire).look_up(an_order(purpose=Purpose.STOP))

    assert isinstance(found, OrderUpdate)
    assert found.state is OrderState.OPEN


async def test_only_the_venues_own_no_such_order_is_not_found() -> None:
    missing = a_wire(fapiPrivateGetOrder=VenueRefusedError("-2013 no", code="-2013"))
    away = a_wire(fapiPrivateGetOrder=VenueUnclearError("cut", why=Unclear.CONNECTION))
    other = a_wire(fapiPrivateGetOrder=VenueRefusedError("-1121 symbol", code="-1121"))

    assert isinstance(await an_exchange(missing).look_up(an_order()), NotFound)
    assert isinstance(await an_exchange(away).look_up(an_order()), SendUnclear)
    assert isinstance(await an_exchange(other).look_up(an_order()), SendUnclear)


@pytest.mark.parametrize(
    "failing",
    ["fapiPrivateGetOpenOrders", "fapiPrivateGetOpenAlgoOrders", "fapiPrivateV3GetPositionRisk"],
)
async def test_a_snapshot_of_which_a_part_failed_is_no_snapshot(failing: str) -> None:
    parts: dict[str, Any] = {
        "fapiPrivateGetOpenOrders": [],
        "fapiPrivateGetOpenAlgoOrders": [],
        "fapiPrivateV3GetPositionRisk": [],
    }
    parts[failing] = VenueUnclearError("cut", why=Unclear.CONNECTION)

    assert isinstance(await an_exchange(a_wire(**parts)).snapshot(), SnapshotFailed)


async def test_modes_that_are_so_already_count_as_set_and_are_read_back() -> None:
    wire = a_wire(
        fapiPrivateGetPositionSideDual={"dualSidePosition": True},
        fapiPrivatePostMarginType=VenueRefusedError("-4046 no need", code="-4046"),
        fapiPrivatePostLeverage={"leverage": 5},
        fapiPrivateGetSymbolConfig=[{"symbol": "BTCUSDT", "marginType": "CROSSED", "leverage": 5}],
    )
    await an_exchange(wire).prepare("BTCUSDT", leverage=5, hedge=True, cross=True)

    assert "fapiPrivatePostPositionSideDual" not in [method for method, _ in wire.asked]


async def test_a_setting_that_did_not_take_is_refused() -> None:
    wire = a_wire(
        fapiPrivateGetPositionSideDual={"dualSidePosition": True},
        fapiPrivatePostMarginType={},
        fapiPrivatePostLeverage={},
        fapiPrivateGetSymbolConfig=[{"symbol": "BTCUSDT", "marginType": "ISOLATED", "leverage": 5}],
    )
    with pytest.raises(VenueRefusedError, match="ISOLATED"):
        await an_exchange(wire).prepare("BTCUSDT", leverage=5, hedge=True, cross=True)


async def test_funding_of_many_pages_is_read_once_each_and_in_order() -> None:
    def row(number: int) -> dict[str, Any]:
        return {
            "symbol": "BTCUSDT", "income": "0.1", "asset": "USDT", "time": number // 3,
            "tranId": number,
        }  # fmt: skip

    wire = a_wire()
    pages: list[int] = []

    async def answer() -> list[dict[str, Any]]:
        since_ms = wire.asked[-1][1]["startTime"]
        pages.append(since_ms)
        return [row(number) for number in range(2500) if number // 3 >= since_ms][:1000]

    wire.answers = {"fapiPrivateGetIncome": answer}
    paid = await an_exchange(wire).funding(since_ms=0)

    assert [each.funding_id for each in paid] == [f"BTCUSDT-{number}" for number in range(2500)]
    assert len(pages) == 3


async def test_rights_are_asked_of_the_main_site_only() -> None:
    wire = a_wire(sapiGetAccountApiRestrictions={"enableWithdrawals": True})
    assert (await an_exchange(wire).rights()).can_withdraw is True

    BinanceUsdm().use_testnet(wire.client())
    assert (await an_exchange(wire).rights()).can_withdraw is None
    await wire.close()


async def test_a_position_mode_somebody_flipped_is_seen_and_exits_follow_it() -> None:
    wire = a_wire(
        fapiPrivateGetPositionSideDual={"dualSidePosition": True},
        fapiPrivateGetOpenOrders=[],
        fapiPrivateGetOpenAlgoOrders=[],
        fapiPrivateV3GetPositionRisk=[],
        **{POST: PLACED},
    )
    clock = FakeClock()
    exchange = CcxtExchange(wire, BinanceUsdm(), clock, hedge=False)

    assert [await hedge_seen(exchange), await hedge_seen(exchange)] == [None, None]
    clock.advance(25_000)
    assert await hedge_seen(exchange) is True
    await exchange.send(an_order(purpose=Purpose.CLOSE), valid_ms=2000)
    assert wire.asked[-1][1]["positionSide"] == Side.LONG


async def hedge_seen(exchange: CcxtExchange) -> bool | None:
    found = await exchange.snapshot()
    assert isinstance(found, Snapshot)
    return found.hedge
