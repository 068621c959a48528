"""Account settings: position mode, leverage, margin mode, isolated margin."""

from dataclasses import replace
from decimal import Decimal

from local.paper.core import margin
from local.paper.core.books import AccountChanged, Books, ConfigChanged
from local.paper.core.records import Position, SymbolConfig
from local.paper.core.refusals import Reason, RefusedError

MAX_LEVERAGE = 125


def set_hedge_mode(books: Books, *, hedge_mode: bool) -> None:
    """Switch between one-way and hedge mode; only while flat and without open orders."""
    if books.account.hedge_mode == hedge_mode:
        raise RefusedError(Reason.NO_CHANGE_OF_MODE)
    if books.open_orders or books.open_algos:
        raise RefusedError(Reason.OPEN_ORDERS)
    if margin.held(books):
        raise RefusedError(Reason.OPEN_POSITION)
    books.account.hedge_mode = hedge_mode
    books.keep_account()
    books.commit()


def set_leverage(books: Books, symbol: str, leverage: int) -> SymbolConfig:
    """Leverage of a symbol, 1..125; cross margin in use follows at once.

    An isolated position keeps the margin it has, so its leverage cannot go down.
    """
    if not 1 <= leverage <= MAX_LEVERAGE:
        raise RefusedError(Reason.LEVERAGE_RANGE)
    config = books.config(symbol)
    if config.isolated and leverage < config.leverage and _is_held(books, symbol):
        raise RefusedError(Reason.LEVERAGE_REDUCTION)
    config.leverage = leverage
    books.keep_config(config)
    books.tell(ConfigChanged(config=config))
    books.commit()
    return config


def set_isolated(books: Books, symbol: str, *, isolated: bool) -> None:
    """Margin mode of a symbol, refused if it is already so or a position is open."""
    config = books.config(symbol)
    if config.isolated == isolated:
        raise RefusedError(Reason.NO_CHANGE_OF_MARGIN)
    if _is_held(books, symbol):
        raise RefusedError(Reason.MARGIN_OPEN_POSITION)
    config.isolated = isolated
    books.keep_config(config)
    books.commit()


def adjust_margin(books: Books, position: Position, amount: Decimal, prices: margin.Price) -> None:
    """Move margin to an isolated position, or back from it if ``amount`` is below zero.

    What moves must be free, and the initial margin must stay.
    """
    if not position.quantity or not books.config(position.symbol).isolated:
        raise RefusedError(Reason.NO_ISOLATED_POSITION)
    if amount > margin.available(books, prices):
        raise RefusedError(Reason.MARGIN_INSUFFICIENT)
    profit = position.unrealized(prices(position.symbol))
    left = position.margin + amount + min(profit, Decimal(0))
    if amount < 0 and left < margin.position_margin(books, position, prices):
        raise RefusedError(Reason.MARGIN_REDUCTION)
    position.margin += amount
    books.keep_position(position)
    books.tell(AccountChanged(reason="MARGIN_TRANSFER", positions=(replace(position),)))
    books.commit()


def _is_held(books: Books, symbol: str) -> bool:
    return any(one.symbol == symbol for one in margin.held(books))
