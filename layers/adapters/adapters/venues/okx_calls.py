"""Requests to OKX's routes of USDT swaps, with raw rows as answers."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from adapters.venues import Caller, Row
from adapters.venues import okx_words as words
from engine.errors import VenueRefusedError

PAGE = 100
_NEWEST_BARS = 1440
_SPOT_MODE = "1"  # an account mode that has no derivatives
_ALGO_KINDS = ("conditional,oco", "trigger", "move_order_stop")


async def ask(
    wire: Caller, method: str, params: Mapping[str, Any], *, weight: int = 1, urgent: bool = True
) -> list[Any]:
    """The rows of one answer."""
    answer = await wire.call(method, params, weight=weight, urgent=urgent)
    return list(answer["data"])


async def ask_one(wire: Caller, method: str, params: Mapping[str, Any], *, weight: int = 1) -> Row:
    """The only row of an answer."""
    found: Row = (await ask(wire, method, params, weight=weight))[0]
    return found


async def ask_pages(
    wire: Caller, method: str, params: Mapping[str, Any], key: str, *, weight: int = 1
) -> list[Row]:
    """All rows, newest first: each page is asked for after the last row's `key`."""
    given, found = {**params, "limit": PAGE}, []
    while True:
        page = await ask(wire, method, given, weight=weight)
        found += page
        if len(page) < PAGE:
            return found
        given["after"] = page[-1][key]


async def instruments(wire: Caller) -> list[Row]:
    """All USDT swaps, traded now or not."""
    rows = await ask(
        wire, "publicGetPublicInstruments", {"instType": "SWAP"}, weight=2, urgent=False
    )
    return [row for row in rows if words.is_usdt_swap(row)]


async def tickers(wire: Caller, *, urgent: bool = False) -> list[Row]:
    """The last prices of all USDT swaps."""
    rows = await ask(wire, "publicGetMarketTickers", {"instType": "SWAP"}, weight=2, urgent=urgent)
    return [row for row in rows if words.is_of_usdt_swap(row)]


async def candles(
    wire: Caller, symbol: str, *, span_ms: int, bar: str, start_ms: int, limit: int
) -> Sequence[list[str]]:
    """Finished candles from `start_ms` on, oldest first.

    One route knows the newest 1440 candles, the other all but the last few.
    """
    params = {
        "instId": words.to_inst_id(symbol),
        "bar": bar,
        "before": start_ms - 1,
        "after": start_ms + span_ms * limit,
        "limit": limit,
    }
    rows: list[Any] = []
    if start_ms > int(wire.client().nonce()) - _NEWEST_BARS * span_ms:
        rows = await ask(wire, "publicGetMarketCandles", params, urgent=False)
    if not rows or int(rows[-1][0]) > start_ms:
        rows = await ask(wire, "publicGetMarketHistoryCandles", params, weight=2, urgent=False)
    return [row for row in reversed(rows) if row[8] == "1"]


async def trades(wire: Caller, symbol: str, *, start_ms: int, end_ms: int) -> list[Row]:
    """All public trades of [start, end), newest first; paged by time, then by id."""
    params: dict[str, Any] = {
        "instId": words.to_inst_id(symbol),
        "type": "2",
        "after": end_ms,
        "limit": PAGE,
    }
    found: list[Row] = []
    while True:
        rows = await ask(wire, "publicGetMarketHistoryTrades", params, weight=2, urgent=False)
        found += rows
        if len(rows) < PAGE or int(rows[-1]["ts"]) < start_ms:
            return [row for row in found if start_ms <= int(row["ts"]) < end_ms]
        params |= {"type": "1", "after": rows[-1]["tradeId"]}


async def held(wire: Caller, symbol: str = "") -> list[Row]:
    """Positions that are not flat, of one USDT swap or all."""
    params = {"instType": "SWAP"} | ({"instId": words.to_inst_id(symbol)} if symbol else {})
    rows = await ask(wire, "privateGetAccountPositions", params, weight=4)
    return [row for row in rows if words.is_of_usdt_swap(row) and words.is_held(row)]


async def working(wire: Caller) -> list[Row]:
    """Working orders of all USDT swaps, conditional ones of every kind among them."""
    rows = await ask_pages(wire, "privateGetTradeOrdersPending", {"instType": "SWAP"}, "ordId")
    for kind in _ALGO_KINDS:
        params = {"instType": "SWAP", "ordType": kind}
        rows += await ask_pages(
            wire, "privateGetTradeOrdersAlgoPending", params, "algoId", weight=2
        )
    return [row for row in rows if words.is_of_usdt_swap(row)]


async def order(wire: Caller, symbol: str, **by: str) -> Row:
    """A plain order, by `clOrdId` or `ordId`."""
    params = {"instId": words.to_inst_id(symbol), **by}
    return await ask_one(wire, "privateGetTradeOrder", params)


async def act(wire: Caller, method: str, params: Mapping[str, Any]) -> Row:
    """Carry out an order or a cancel; each has a code of its own beside the request's."""
    row = await ask_one(wire, method, params, weight=0)
    code = str(row.get("sCode", "0"))
    if code != "0":
        raise VenueRefusedError(f"{code} {row.get('sMsg', '')}".strip(), code=code)
    return row


async def config(wire: Caller) -> Row:
    """The account's configuration, of the key too."""
    return await ask_one(wire, "privateGetAccountConfig", {}, weight=8)


async def is_hedged(wire: Caller) -> bool:
    """Whether the account holds two positions of a symbol."""
    return words.is_hedged(await config(wire))


async def set_position_mode(wire: Caller, *, hedge: bool) -> None:
    """Set and read back; an account without derivatives is refused."""
    now = await config(wire)
    if now["acctLv"] == _SPOT_MODE:
        raise VenueRefusedError("the account is in spot mode: choose futures mode on OKX")
    if words.is_hedged(now) == hedge:
        return
    wanted = "long_short_mode" if hedge else "net_mode"
    await wire.call("privatePostAccountSetPositionMode", {"posMode": wanted}, weight=8, urgent=True)
    if await is_hedged(wire) != hedge:
        raise VenueRefusedError(f"position mode did not become hedge={hedge}")


async def set_leverage(wire: Caller, symbol: str, mode: str, leverage: int, *, hedge: bool) -> None:
    """Set and read back; in isolated margin each of two positions has a leverage of its own."""
    given = {"instId": words.to_inst_id(symbol), "mgnMode": mode}
    sides = ("long", "short") if hedge else ("net",)
    for side in sides if mode == "isolated" else (None,):
        params = given | {"lever": str(leverage)} | ({"posSide": side} if side else {})
        await wire.call("privatePostAccountSetLeverage", params, weight=2, urgent=True)
    rows = await ask(wire, "privateGetAccountLeverageInfo", given, weight=2)
    now = {(row["mgnMode"], Decimal(row["lever"])) for row in rows}
    if now != {(mode, Decimal(leverage))}:
        told = ", ".join(f"{each} {number}" for each, number in sorted(now)) or "unknown"
        raise VenueRefusedError(f"{symbol}: margin must be {mode} {leverage}, was {told}")
