"""Account settings: position mode, leverage, margin mode."""

from local.paper.core import margin
from local.paper.core.books import Books, ConfigChanged
from local.paper.core.records import SymbolConfig
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
    """Leverage of a symbol, 1..125; margin in use follows at once."""
    if not 1 <= leverage <= MAX_LEVERAGE:
        raise RefusedError(Reason.LEVERAGE_RANGE)
    config = books.config(symbol)
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
    if any(one.symbol == symbol for one in margin.held(books)):
        raise RefusedError(Reason.MARGIN_OPEN_POSITION)
    config.isolated = isolated
    books.keep_config(config)
    books.commit()
