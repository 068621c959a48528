"""How much the engine would open, and how much it did: its own sizing, every number of it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any

from adapters import accounts, equity_rows
from adapters.commands import queue
from adapters.engine_states import read_state
from adapters.market_views import instruments_by_symbol, last_prices
from adapters.paging import from_cursor, to_cursor
from adapters.refusals import ConflictError, Reason, UnknownError
from adapters.tables import CommandRow, PositionRow
from engine.events import Account
from engine.orders import position_id
from engine.ports import Clock
from engine.risk import Exposure, Refusal
from engine.settings import Settings, with_values
from engine.sizing import Factors, Size, factors_of, intended_notional, leverage_for, sized
from engine.values import Exits, Side, TradeMode

View = dict[str, Any]
MOST_POSITIONS = 500
_WISH_PARTS = 6  # of the id of a wish: a time and the five or more parts of its Set
_EXPOSED = ("symbol", "side", "quantity", "entry_price")
_KINDS = {"connection_id": "S", "command_id": "S"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A position to size; what is None is taken from the newest tick and equity sample."""

    connection_id: str
    symbol: str
    side: Side
    mode: TradeMode
    exits: Exits
    size_ratio: Decimal
    price: Decimal | None
    equity: Decimal | None
    free_margin: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class VolumeViews:
    """Sizes with the settings, the instruments and the positions an engine has."""

    clock: Clock

    def calculate(self, asked: Asked) -> View:
        """The size, or why there would be none; nothing is ordered.

        Raises
        ------
        UnknownError, ConflictError
            The latter if price or equity are neither given nor known.
        """
        row, state = accounts.connection_row(asked.connection_id), read_state(asked.connection_id)
        instrument = instruments_by_symbol(state).get(asked.symbol)
        if instrument is None:
            raise UnknownError(
                f"the engine of {asked.connection_id} does not follow {asked.symbol}"
            )
        settings = with_values(Settings(), state.settings or {})
        prices = last_prices(asked.connection_id)
        price, account = _price(asked, prices), _account(asked, self.clock)
        leverage = leverage_for(instrument, asked.exits, settings)
        if isinstance(leverage, Refusal):
            return _told(asked, price, account, None, None, leverage)
        factors = factors_of(
            settings=settings,
            mode=asked.mode,
            volume_factor=row.volume_factor,
            size_ratio=asked.size_ratio,
        )
        intended = intended_notional(
            equity=account.equity,
            size_ratio=asked.size_ratio,
            leverage=leverage,
            settings=settings,
            mode=asked.mode,
            volume_factor=row.volume_factor,
        )
        size = sized(
            instrument=instrument,
            price=price,
            size_ratio=asked.size_ratio,
            leverage=leverage,
            account=account,
            exposure=_exposure(asked, prices),
            settings=settings,
            mode=asked.mode,
            volume_factor=row.volume_factor,
            exchange=row.exchange,
        )
        told = _told(asked, price, account, factors, intended, size)
        limits = ("price_tick", "quantity_step", "min_quantity", "max_quantity", "min_notional")
        told["instrument"] = {name: getattr(instrument, name) for name in limits}
        told["sizing_mode"] = settings.sizing_mode
        return told

    def history(self, *, connection_id: str, limit: int, cursor: str | None) -> View:
        """Wishes that were dealt with, newest first: their size, or why they got none."""
        accounts.connection_row(connection_id)
        start = from_cursor(cursor, connection_id=connection_id, kinds=_KINDS)
        before = None if start is None else CommandRow.command_id < start["command_id"]["S"]
        rows = list(
            CommandRow.query(
                queue(connection_id, "done"), before, scan_index_forward=False, limit=limit
            )
        )
        wishes = [row for row in rows if row.command_id.count("|") >= _WISH_PARTS]
        sizes = _sizes(connection_id, wishes)
        following = _cursor(connection_id, rows[-1]) if len(rows) == limit else None
        data = [_wish(row, sizes) for row in wishes]
        return {"count": len(data), "data": data, "cursor": following}


def _cursor(connection_id: str, row: CommandRow) -> str | None:
    key = {"connection_id": {"S": connection_id}, "command_id": {"S": row.command_id}}
    return to_cursor(key)


def _price(asked: Asked, prices: Mapping[str, Decimal]) -> Decimal:
    price = asked.price or prices.get(asked.symbol)
    if price is None:
        message = f"no tick of {asked.symbol} is stored: start the engine, or send a price"
        raise ConflictError(
            "there is no price to size with", Reason(code="price_unknown", message=message)
        )
    return price


def _account(asked: Asked, clock: Clock) -> Account:
    if asked.equity is not None:
        free = asked.equity if asked.free_margin is None else asked.free_margin
        return Account(equity=asked.equity, free_margin=free, at_ms=clock.now_ms())
    sample = equity_rows.latest(asked.connection_id)
    if sample is None:
        message = "the account was never sampled: start the engine, or send an equity"
        raise ConflictError(
            "there is no equity to size with", Reason(code="equity_unknown", message=message)
        )
    free = sample.free_margin if asked.free_margin is None else asked.free_margin
    return Account(equity=sample.equity, free_margin=free, at_ms=sample.at_ms)


def _exposure(asked: Asked, prices: Mapping[str, Decimal]) -> Exposure:
    """What is open already, at the last prices or those of entry."""
    total = of_side = of_symbol = of_both = Decimal(0)
    count = 0
    live = PositionRow.live.query(
        asked.connection_id, limit=MOST_POSITIONS, attributes_to_get=list(_EXPOSED)
    )
    for row in live:
        price = prices.get(row.symbol) or row.entry_price or Decimal(0)
        notional = (row.quantity or Decimal(0)) * price
        is_symbol, is_side = row.symbol == asked.symbol, row.side == asked.side
        total += notional
        of_side += notional * is_side
        of_symbol += notional * is_symbol
        of_both += notional * (is_symbol and is_side)
        count += 1
    return Exposure(
        notional=total,
        side_notional=of_side,
        symbol_notional=of_symbol,
        symbol_side_notional=of_both,
        positions=count,
    )


def _told(
    asked: Asked,
    price: Decimal,
    account: Account,
    factors: Factors | None,
    intended: Decimal | None,
    size: Size | Refusal,
) -> View:
    refused = size if isinstance(size, Refusal) else None
    return {
        "connection_id": asked.connection_id,
        "symbol": asked.symbol,
        "side": asked.side.value,
        "mode": asked.mode.value,
        "price": price,
        "equity": account.equity,
        "free_margin": account.free_margin,
        "equity_at_ms": account.at_ms,
        "factors": None if factors is None else asdict(factors),
        "intended_notional": intended,
        "size": None if refused is not None else asdict(size),
        "refusal": None
        if refused is None
        else {"code": refused.code, "numbers": dict(refused.numbers)},
        "instrument": None,
        "sizing_mode": "",
    }


def _sizes(connection_id: str, wishes: list[CommandRow]) -> dict[str, PositionRow]:
    """The positions of wishes that were opened, by the id of the wish."""
    names = {}
    for row in wishes:
        if row.outcome == "done":
            at_ms, _, key = row.command_id.partition("|")
            names[position_id(connection_id, key, int(at_ms))] = row.command_id
    found = PositionRow.batch_get([(connection_id, name) for name in names]) if names else ()
    return {names[row.position_id]: row for row in found}


def _wish(row: CommandRow, sizes: Mapping[str, PositionRow]) -> View:
    at_ms, _, key = row.command_id.partition("|")
    held = sizes.get(row.command_id)
    quantity = None if held is None else held.entry_quantity
    notional = None if held is None else (held.entry_price or 0) * (held.entry_quantity or 0)
    return {
        "at_ms": int(at_ms),
        "set_key": key,
        "symbol": key.partition("|")[0],
        "outcome": row.outcome,
        "reason": row.reason or "",
        "numbers": dict(row.numbers or {}),
        "position_id": "" if held is None else held.position_id,
        "quantity": quantity,
        "notional": notional,
        "leverage": None if held is None else held.leverage,
    }
