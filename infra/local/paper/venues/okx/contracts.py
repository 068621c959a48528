"""OKX's contracts of the market's instruments: names, sizes, and quantities on the wire."""

from decimal import Decimal

from local.paper.core.exchange import PaperExchange
from local.paper.core.refusals import Reason, RefusedError
from local.paper.market.instruments import PaperInstrument

_SUFFIX = "-USDT-SWAP"
_SIZES = {"BTC": Decimal("0.01"), "ETH": Decimal("0.1")}
_STEPS_A_CONTRACT = 10


def inst_id(symbol: str) -> str:
    """`BTC-USDT-SWAP` of `BTCUSDT`."""
    return symbol.removesuffix("USDT") + _SUFFIX


def find(exchange: PaperExchange, name: str) -> PaperInstrument:
    """The market's instrument of a name like `BTC-USDT-SWAP`."""
    if not name.endswith(_SUFFIX):
        raise RefusedError(Reason.UNKNOWN_SYMBOL, name)
    return exchange.instrument(name.removesuffix(_SUFFIX) + "USDT")


def size(one: PaperInstrument) -> Decimal:
    """Base units in one contract: as on OKX for the largest two, ten steps for all others."""
    return _SIZES.get(one.base, _STEPS_A_CONTRACT * one.step)


def lot(one: PaperInstrument) -> Decimal:
    """The least difference of two quantities, in contracts."""
    return one.step / size(one)


def text(value: Decimal) -> str:
    """Plain decimal text, without an exponent or zeros at its end."""
    plain = format(value, "f")
    return plain.rstrip("0").rstrip(".") if "." in plain else plain


def contracts(one: PaperInstrument, quantity: Decimal) -> str:
    """A quantity in base units as a number of contracts."""
    return text(quantity / size(one))
