"""OKX's rows of USDT swaps as our values. Pure: rows in, values out.

On the wire a quantity is a number of contracts; `size` is what one of them holds in base units.
"""

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from adapters.failures import ErrorWords
from adapters.venues import Kline, LastPrice, Row, Trade
from engine.events import Account, Funding, KeyRights, VenuePosition
from engine.values import Instrument, Side, plain

Sizes = Mapping[str, Decimal]
"""Base units in a contract of each symbol."""

# The codes 0, 1 and 2 tell of the whole request; what was wrong stands with the order.
ERRORS = ErrorWords(
    code=re.compile(r'"(?:sCode|code)"\s*:\s*"?(?![012]\b)(\d+)'),
    message=re.compile(
        r'"(?:sMsg|msg)"\s*:\s*"(?!All operations failed|Operation failed)((?:[^"\\]|\\.)+)"'
    ),
    busy=frozenset({"50011", "50040", "50061"}),  # too many requests: not even looked at
    clock=frozenset({"50102", "50112"}),
    unclear=frozenset({"50001", "50004", "50005", "50013", "50026", "51054"}),
    late=frozenset({"51149"}),
)
_SUFFIX = "-USDT-SWAP"


def to_inst_id(symbol: str) -> str:
    """`BTC-USDT-SWAP` of `BTCUSDT`."""
    return symbol.removesuffix("USDT") + _SUFFIX


def to_symbol(inst_id: str) -> str:
    """`BTCUSDT` of `BTC-USDT-SWAP`; another kind of instrument keeps its own name."""
    return inst_id.removesuffix(_SUFFIX) + "USDT" if inst_id.endswith(_SUFFIX) else inst_id


def symbol_of(row: Row) -> str:
    """The symbol a row is about."""
    return to_symbol(row["instId"])


def contract_size(row: Row) -> Decimal:
    """Base units in one contract."""
    return Decimal(row["ctVal"]) * Decimal(row.get("ctMult") or 1)


def is_usdt_swap(row: Row) -> bool:
    """Whether it is a perpetual on a coin that is settled in USDT."""
    is_swap = row["instType"] == "SWAP" and str(row["instId"]).endswith(_SUFFIX)
    return is_swap and row["settleCcy"] == "USDT" and row["ctType"] == "linear"


def is_of_usdt_swap(row: Row) -> bool:
    """Whether it belongs to such a perpetual: an account may hold more than that."""
    return str(row["instId"]).endswith(_SUFFIX)


def instrument(row: Row, *, volume_quote: Decimal) -> Instrument | None:
    """A row of public/instruments, or None if it is no USDT swap that trades now."""
    if not is_usdt_swap(row) or row["state"] != "live":
        return None
    size = contract_size(row)
    most = [row.get(name) for name in ("maxMktSz", "maxLmtSz", "maxStopSz")]
    return Instrument(
        symbol=to_symbol(row["instId"]),
        base=str(row["instId"]).removesuffix(_SUFFIX),
        quote="USDT",
        price_tick=Decimal(row["tickSz"]).normalize(),
        quantity_step=(Decimal(row["lotSz"]) * size).normalize(),
        min_quantity=(Decimal(row["minSz"]) * size).normalize(),
        max_quantity=min(Decimal(each) * size for each in most if each).normalize(),
        min_notional=Decimal(0),
        max_leverage=int(Decimal(row["lever"])),
        volume_24h_quote=volume_quote,
    )


def volume_quote(ticker: Row) -> Decimal:
    """Traded value of a day, from the base volume at the last price."""
    return Decimal(ticker["volCcy24h"] or 0) * Decimal(ticker["last"] or 0)


def last_price(ticker: Row) -> LastPrice:
    """The last trade of a symbol."""
    return LastPrice(
        symbol=to_symbol(ticker["instId"]),
        price=Decimal(ticker["last"]),
        event_ms=int(ticker["ts"]),
    )


def kline(row: list[str]) -> Kline:
    """A row of candles: time, four prices, and volume in contracts, base and quote."""
    return Kline(
        open_ms=int(row[0]), open=row[1], high=row[2], low=row[3], close=row[4], volume=row[6]
    )


def trade(row: Row, sizes: Sizes) -> Trade:
    """A public trade of REST or stream.

    A message of the stream sums up so many trades in a row; its id is that of the last.
    """
    symbol, last_id = to_symbol(row["instId"]), int(row["tradeId"])
    quantity = plain(Decimal(row["sz"]) * sizes[symbol])
    return Trade(
        symbol,
        int(row["ts"]),
        row["px"],
        quantity,
        last_id,
        first_id=last_id - int(row["count"]) + 1 if "count" in row else 0,
        last_id=last_id if "count" in row else 0,
        is_buyer_maker=row["side"] == "sell",
    )


def account(row: Row, *, now_ms: int) -> Account:
    """Equity and what of it is free, of the account's USDT alone."""
    found: Row = next((each for each in row["details"] if each["ccy"] == "USDT"), {})
    return Account(
        equity=Decimal(found.get("eq") or 0),
        free_margin=Decimal(found.get("availEq") or found.get("availBal") or 0),
        at_ms=now_ms,
    )


def is_hedged(row: Row) -> bool:
    """Whether the account's configuration has a position for each side."""
    return bool(row["posMode"] == "long_short_mode")


def rights(row: Row) -> KeyRights:
    """What a key may do, as the account's configuration prints it."""
    if "perm" not in row:
        return KeyRights(can_trade=None, can_withdraw=None, is_address_bound=None)
    granted = str(row["perm"]).split(",")
    return KeyRights(
        can_trade="trade" in granted,
        can_withdraw="withdraw" in granted,
        is_address_bound=bool(row["ip"]) if "ip" in row else None,
    )


def funding(row: Row) -> Funding:
    """A bill of a funding fee; OKX does not say which of two positions it was for."""
    return Funding(
        funding_id=row["billId"],
        symbol=to_symbol(row["instId"]),
        side=None,
        amount=Decimal(row["pnl"]),
        asset=row["ccy"],
        at_ms=int(row["ts"]),
    )


def venue_positions(rows: Iterable[Row], sizes: Sizes) -> tuple[VenuePosition, ...]:
    """Open positions; one in cross and one in isolated margin of the same side are joined."""
    found: dict[tuple[str, Side], VenuePosition] = {}
    for row in rows:
        each = _venue_position(row, sizes)
        if each is None:
            continue
        key = (each.symbol, each.side)
        found[key] = _joined(found[key], each) if key in found else each
    return tuple(found.values())


def is_held(row: Row) -> bool:
    """Whether a row of positions is none of a flat one."""
    return bool(row["pos"]) and Decimal(row["pos"]) != 0


def quantity(row: Row, name: str, sizes: Sizes) -> Decimal:
    """A number of contracts in base units; empty where OKX knows none."""
    return Decimal(row[name] or 0) * sizes[to_symbol(row["instId"])]


def price(text: Any) -> Decimal | None:
    """A price, or None where OKX prints nothing."""
    price = Decimal(text or 0)
    return price if price else None


def _venue_position(row: Row, sizes: Sizes) -> VenuePosition | None:
    """A net position is below zero if it is short; of two sides each is printed above zero."""
    if not is_held(row):
        return None
    contracts, symbol = Decimal(row["pos"]), to_symbol(row["instId"])
    net = Side.LONG if contracts > 0 else Side.SHORT
    return VenuePosition(
        symbol=symbol,
        side=net if row["posSide"] == "net" else Side(row["posSide"].upper()),
        quantity=(abs(contracts) * sizes[symbol]).normalize(),
        entry_price=Decimal(row["avgPx"]),
    )


def _joined(one: VenuePosition, other: VenuePosition) -> VenuePosition:
    quantity = one.quantity + other.quantity
    cost = one.quantity * one.entry_price + other.quantity * other.entry_price
    return VenuePosition(
        symbol=one.symbol, side=one.side, quantity=quantity, entry_price=cost / quantity
    )
