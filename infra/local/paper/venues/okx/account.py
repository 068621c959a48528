"""Account routes: balance, positions, modes, leverage, fees, bills."""

from decimal import Decimal

from local.paper.core import margin, modes
from local.paper.core.exchange import PaperExchange
from local.paper.core.records import ZERO, Fill, Income, IncomeKind, Position
from local.paper.core.refusals import Reason, RefusedError
from local.paper.venues.okx import contracts, errors, shapes
from local.paper.venues.okx.contracts import inst_id, text
from local.paper.venues.okx.pages import page
from local.paper.venues.okx.parameters import Parameters
from local.paper.venues.okx.shapes import money
from local.paper.wire import Json

_TYPES = {"1": "2", "2": "2", "106": "5", "107": "5", "127": "9", "128": "9"}
_POS_MODES = ("net_mode", "long_short_mode")


def balance(exchange: PaperExchange, given: Parameters) -> list[Json]:
    """``GET /account/balance``."""
    now_ms = exchange.advance()
    return [balance_row(exchange, now_ms)]


def balance_row(exchange: PaperExchange, now_ms: int) -> Json:
    """The account in USD, and its USDT."""
    books, price = exchange.books, exchange.mark_price
    profit = margin.unrealized(books, price)
    own = sum((one.margin for one in books.positions.values()), ZERO)
    wallet, equity = books.account.wallet, books.account.wallet + profit
    used = margin.positions_margin(books, price) + margin.orders_margin(books)
    kept = sum((exchange.maintenance_margin(one) for one in margin.held(books)), ZERO)
    value = sum((abs(one.quantity) * price(one.symbol) for one in margin.held(books)), ZERO)
    free = money(exchange.available())
    usdt = dict.fromkeys(_UNUSED_OF_COIN, "") | {
        "ccy": "USDT", "eq": money(equity), "cashBal": money(wallet), "uTime": str(now_ms),
        "isoEq": money(own), "availEq": free, "availBal": free, "upl": money(profit),
        "disEq": money(equity), "eqUsd": money(equity), "frozenBal": money(equity - Decimal(free)),
        "ordFrozen": money(margin.orders_margin(books)), "imr": money(used), "mmr": money(kept),
        "mgnRatio": money(equity / kept) if kept else "", "collateralEnabled": False,
    }  # fmt: skip
    return {
        "adjEq": "", "availEq": "", "borrowFroz": "", "details": [usdt], "imr": "",
        "isoEq": money(own), "mgnRatio": "", "mmr": "", "notionalUsd": money(value),
        "notionalUsdForBorrow": "", "notionalUsdForFutures": "", "notionalUsdForOption": "",
        "notionalUsdForSwap": "", "ordFroz": "", "totalEq": money(equity), "upl": money(profit),
        "delta": "", "deltaLever": "", "deltaNeutralStatus": "", "uTime": str(now_ms),
    }  # fmt: skip


_UNUSED_OF_COIN = (
    "accAvgPx", "borrowFroz", "clSpotInUseAmt", "colBorrAutoConversion", "collateralRestrict",
    "crossLiab", "fixedBal", "interest", "isoLiab", "isoUpl", "liab", "maxLoan", "maxSpotInUse",
    "notionalLever", "openAvgPx", "rewardBal", "smtSyncEq", "spotBal", "spotCopyTradingEq",
    "spotInUseAmt", "spotIsoBal", "spotUpl", "spotUplRatio", "stgyEq", "totalPnl", "totalPnlRatio",
    "twap", "uplLiab", "autoLendStatus", "autoLendAmt", "autoLendMtAmt",
)  # fmt: skip


def positions(exchange: PaperExchange, given: Parameters) -> list[Json]:
    """Positions that are not flat."""
    exchange.advance()
    given.choice("instType", ("SWAP",), "SWAP")
    wanted = given.text("instId", "-").split(",")
    found = margin.held(exchange.books)
    return [
        position_row(exchange, one)
        for one in found
        if wanted == ["-"] or inst_id(one.symbol) in wanted
    ]


def position_row(exchange: PaperExchange, one: Position) -> Json:
    """A position: of one net position the sign is its side, of two sides each is above zero."""
    instrument, config = exchange.instrument(one.symbol), exchange.books.config(one.symbol)
    price, net = exchange.mark_price(one.symbol), one.position_side == "BOTH"
    value, profit = abs(one.quantity) * price, one.unrealized(price)
    initial = margin.position_margin(exchange.books, one, exchange.mark_price)
    liquidation = exchange.liquidation_price(one) if one.quantity else ZERO
    quantity = one.quantity if net else abs(one.quantity)
    entry = text(round(one.entry_price, 8)) if one.quantity else ""
    return dict.fromkeys(_UNUSED_OF_POSITION, "") | {
        "instType": "SWAP", "instId": inst_id(one.symbol), "ccy": "USDT", "adl": "1",
        "mgnMode": shapes.td_mode(exchange, one.symbol),
        "posId": f"{contracts.inst_id(one.symbol)}-{one.position_side}".lower(),
        "posSide": "net" if net else one.position_side.lower(),
        "pos": contracts.contracts(instrument, quantity), "avgPx": entry,
        "availPos": contracts.contracts(instrument, abs(one.quantity)), "bePx": entry,
        "markPx": text(price), "last": text(exchange.last_price(one.symbol)), "upl": money(profit),
        "uplLastPx": money(profit), "idxPx": text(price), "lever": str(config.leverage),
        "uplRatio": money(profit / initial) if initial else "",
        "liqPx": text(liquidation) if liquidation else "", "notionalUsd": money(value),
        "imr": "" if config.isolated else money(initial),
        "margin": money(one.margin) if config.isolated else "",
        "mmr": money(exchange.maintenance_margin(one)), "mgnRatio": "", "interest": "0",
        "realizedPnl": money(one.realized), "pnl": money(one.realized), "fee": "0",
        "fundingFee": "0", "liqPenalty": "0", "closeOrderAlgo": [],
        "cTime": str(one.updated_ms), "uTime": str(one.updated_ms), "pTime": str(one.updated_ms),
    }  # fmt: skip


_UNUSED_OF_POSITION = (
    "baseBal", "baseBorrowed", "baseInterest", "bizRefId", "bizRefType", "clSpotInUseAmt",
    "deltaBS", "deltaPA", "gammaBS", "gammaPA", "liab", "liabCcy", "maxSpotInUseAmt",
    "nonSettleAvgPx", "optVal", "pendingCloseOrdLiabVal", "posCcy", "quoteBal", "quoteBorrowed",
    "quoteInterest", "settledPnl", "spotInUseAmt", "spotInUseCcy", "thetaBS", "thetaPA", "tradeId",
    "uplRatioLastPx", "usdPx", "vegaBS", "vegaPA",
)  # fmt: skip


def config(exchange: PaperExchange, given: Parameters) -> list[Json]:
    """The account in futures mode, and what the key may do from where."""
    key = exchange.scripts.key
    granted = {"read_only": True, "trade": key.can_trade, "withdraw": key.can_withdraw}
    return [{
        "uid": "1", "mainUid": "1", "acctLv": "2", "acctStpMode": "cancel_maker",
        "posMode": _POS_MODES[exchange.books.account.hedge_mode], "autoLoan": False,
        "greeksType": "PA", "feeType": "0", "level": "Lv1", "levelTmp": "",
        "ctIsoMode": "automatic", "mgnIsoMode": "automatic", "spotOffsetType": "", "stgyType": "0",
        "roleType": "0",
        "traderInsts": [], "spotRoleType": "0", "spotTraderInsts": [], "opAuth": "0", "kycLv": "3",
        "label": "paper", "ip": "127.0.0.1" if key.is_address_bound else "",
        "perm": ",".join(name for name, is_so in granted.items() if is_so),
        "liquidationGear": "-1",
        "enableSpotBorrow": False, "spotBorrowAutoRepay": False, "type": "0",
        "settleCcy": "USDT", "settleCcyList": ["USDT"],
    }]  # fmt: skip


def set_position_mode(exchange: PaperExchange, given: Parameters) -> list[Json]:
    """One net position, or one for each side; what is so already stays."""
    wanted = given.choice("posMode", _POS_MODES)
    exchange.advance()
    hedged = wanted == "long_short_mode"
    if exchange.books.account.hedge_mode != hedged:
        modes.set_hedge_mode(exchange.books, hedge_mode=hedged)
    return [{"posMode": wanted}]


def set_leverage(exchange: PaperExchange, given: Parameters) -> list[Json]:
    """One leverage for a symbol: sides and margin modes have none of their own here."""
    one = contracts.find(exchange, given.text("instId"))
    mode = given.choice("mgnMode", ("cross", "isolated"))
    side = given.choice("posSide", ("net", "long", "short"), "net")
    if mode == "isolated" and (side == "net") == exchange.books.account.hedge_mode:
        raise errors.VenueError(errors.illegal("posSide"))
    lever = given.decimal("lever")
    if lever % 1:
        raise errors.VenueError(errors.illegal("lever"))
    found = modes.set_leverage(exchange.books, one.symbol, int(lever))
    return [_leverage(inst_id(one.symbol), mode, side, found.leverage)]


def leverage_info(exchange: PaperExchange, given: Parameters) -> list[Json]:
    """A row for each side that has a leverage of its own on OKX."""
    mode = given.choice("mgnMode", ("cross", "isolated"))
    two = exchange.books.account.hedge_mode and mode == "isolated"
    rows = []
    for name in given.text("instId").split(","):
        symbol = contracts.find(exchange, name).symbol
        leverage = exchange.books.config(symbol).leverage
        rows += [
            _leverage(name, mode, s, leverage) for s in (("long", "short") if two else ("net",))
        ]
    return rows


def _leverage(name: str, mode: str, side: str, leverage: int) -> Json:
    return {"instId": name, "mgnMode": mode, "posSide": side, "lever": str(leverage)}


def trade_fee(exchange: PaperExchange, given: Parameters) -> list[Json]:
    """Below zero is what the venue takes."""
    given.choice("instType", ("SWAP",))
    maker, taker = text(-margin.MAKER_FEE), text(-margin.TAKER_FEE)
    return [{
        "category": "1", "delivery": "", "exercise": "", "instType": "SWAP", "level": "Lv1",
        "maker": maker, "makerU": maker, "makerUSDC": maker, "taker": taker, "takerU": taker,
        "takerUSDC": taker, "ruleType": "normal", "ts": str(exchange.now_ms()), "fiat": [],
    }]  # fmt: skip


def bills(exchange: PaperExchange, given: Parameters) -> list[Json]:
    """What moved the balance: executions and payments, newest first."""
    exchange.advance()
    given.choice("instType", ("SWAP",), "SWAP")
    kind = given.text("type", "-")
    rows = [_fill_bill(exchange, one) for one in exchange.books.fills]
    rows += [_income_bill(exchange, one) for one in exchange.books.incomes]
    wanted = [row for row in rows if kind in ("-", row["type"])]
    return page(sorted(wanted, key=lambda row: -int(row["billId"])), given, "billId", "ts")


def _fill_bill(exchange: PaperExchange, one: Fill) -> Json:
    row = shapes.fill(exchange, one)
    return _bill(exchange, row["billId"], one.symbol, one.time_ms) | {
        "type": _TYPES[row["subType"]], "subType": row["subType"], "sz": row["fillSz"],
        "px": row["fillPx"], "pnl": money(one.realized), "fee": money(-one.fee),
        "balChg": money(one.realized - one.fee), "ordId": row["ordId"], "clOrdId": row["clOrdId"],
        "tradeId": row["tradeId"], "execType": row["execType"],
    }  # fmt: skip


def _income_bill(exchange: PaperExchange, one: Income) -> Json:
    is_funding = one.kind is IncomeKind.FUNDING_FEE
    sub_type = ("174" if one.amount > 0 else "173") if is_funding else "110"
    return _bill(exchange, str(one.income_id), one.symbol, one.time_ms) | {
        "type": "8" if is_funding else "5", "subType": sub_type, "pnl": money(one.amount),
        "sz": contracts.contracts(exchange.instrument(one.symbol), abs(one.quantity)),
        "px": text(one.price), "balChg": money(one.amount),
    }  # fmt: skip


def _bill(exchange: PaperExchange, bill_id: str, symbol: str, at_ms: int) -> Json:
    unused = ("earnAmt", "earnApr", "execType", "fillFwdPx", "fillIdxPx", "fillMarkPx",
              "fillMarkVol", "fillPxUsd", "fillPxVol", "from", "notes", "ordId", "clOrdId", "tag",
              "to", "tradeId")  # fmt: skip
    return dict.fromkeys(unused, "") | {
        "instType": "SWAP", "billId": bill_id, "ts": str(at_ms), "fillTime": str(at_ms),
        "instId": inst_id(symbol), "ccy": "USDT", "bal": money(exchange.books.account.wallet),
        "posBal": "0", "posBalChg": "0", "fee": "0", "interest": "0",
        "mgnMode": shapes.td_mode(exchange, symbol),
    }  # fmt: skip


def currencies(exchange: PaperExchange, given: Parameters) -> list[Json]:
    """The account's one coin."""
    return [{
        "ccy": "USDT", "name": "Tether", "chain": "USDT-TRC20", "canDep": False, "canWd": False,
        "canInternal": False, "minFee": "0", "maxFee": "0", "minWd": "0", "minDep": "0",
        "maxWd": "0", "wdTickSz": "8", "fee": "0", "needTag": False, "mainNet": False,
    }]  # fmt: skip


def adjust_margin(exchange: PaperExchange, given: Parameters) -> list[Json]:
    """Margin to or from an isolated position."""
    one = contracts.find(exchange, given.text("instId"))
    side = given.choice("posSide", ("net", "long", "short"))
    amount, kind = given.decimal("amt"), given.choice("type", ("add", "reduce"))
    exchange.advance()
    key = (one.symbol, "BOTH" if side == "net" else side.upper())
    held = [
        each for each in margin.held(exchange.books) if (each.symbol, each.position_side) == key
    ]
    if not held:
        raise RefusedError(Reason.NO_ISOLATED_POSITION)
    signed = amount if kind == "add" else -amount
    modes.adjust_margin(exchange.books, held[0], signed, exchange.mark_price)
    return [{
        "instId": inst_id(one.symbol), "posSide": side, "amt": text(amount), "type": kind,
        "leverage": str(exchange.books.config(one.symbol).leverage), "ccy": "USDT",
    }]  # fmt: skip
