"""The instruments of the paper exchange: names, steps and limits as on Binance USD-M."""

from dataclasses import dataclass
from decimal import Decimal

from local.paper.market.brackets import BRACKETS, Bracket

MAX_SYMBOLS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperInstrument:
    """One perpetual: filters as listed on the venue, and what the generator needs to know."""

    symbol: str
    base: str
    tick: Decimal
    step: Decimal
    min_notional: Decimal
    start_price: float
    volatility: float = 1.0
    """Scale of returns, 1.0 for BTC (one-second standard deviation 1.15 bp)."""
    quiet: float = 0.0
    """Share of seconds without any trade."""
    quote_per_second: float = 20_000.0
    """Median traded value a second, USDT."""
    brackets: tuple[Bracket, ...] = BRACKETS
    """Maintenance margin and most leverage by position value."""

    def price(self, ticks: int) -> Decimal:
        return self.tick * ticks

    def quantity(self, steps: int) -> Decimal:
        return self.step * steps


# base, tick, step, minimum notional, price level, volatility, quiet share, traded USDT a second
_LISTED = (
    ("BTC", "0.1", "0.001", "50", 96_000, 1.00, 0.0, 90_000),
    ("ETH", "0.01", "0.001", "20", 3_300, 1.15, 0.0, 60_000),
    ("BNB", "0.01", "0.01", "5", 640, 1.05, 0.01, 15_000),
    ("XRP", "0.0001", "0.1", "5", 2.3, 1.35, 0.0, 25_000),
    ("ADA", "0.0001", "1", "5", 0.85, 1.45, 0.02, 9_000),
    ("SOL", "0.01", "0.01", "5", 190, 1.35, 0.0, 40_000),
    ("BCH", "0.01", "0.001", "20", 480, 1.30, 0.03, 6_000),
    ("DOGE", "0.00001", "1", "5", 0.32, 1.50, 0.01, 18_000),
    ("LTC", "0.01", "0.001", "20", 105, 1.25, 0.03, 6_000),
    ("LINK", "0.001", "0.01", "20", 21, 1.45, 0.02, 8_000),
    ("AVAX", "0.001", "1", "5", 38, 1.50, 0.02, 7_000),
    ("DOT", "0.001", "0.1", "5", 6.9, 1.40, 0.03, 5_000),
    ("TRX", "0.00001", "1", "5", 0.25, 0.95, 0.03, 5_000),
    ("NEAR", "0.001", "1", "5", 5.2, 1.55, 0.03, 5_000),
    ("UNI", "0.001", "1", "5", 13, 1.50, 0.04, 4_000),
    ("ATOM", "0.001", "0.01", "5", 6.4, 1.35, 0.04, 4_000),
    ("ETC", "0.001", "0.01", "20", 26, 1.35, 0.04, 4_000),
    ("FIL", "0.001", "0.1", "5", 5.1, 1.50, 0.04, 4_000),
    ("APT", "0.001", "0.1", "5", 9.1, 1.55, 0.04, 4_000),
    ("ARB", "0.0001", "0.1", "5", 0.75, 1.60, 0.04, 4_500),
    ("OP", "0.0001", "0.1", "5", 1.8, 1.65, 0.04, 4_500),
    ("SUI", "0.0001", "0.1", "5", 4.3, 1.70, 0.02, 12_000),
    ("AAVE", "0.01", "0.1", "5", 310, 1.60, 0.04, 4_000),
    ("INJ", "0.001", "0.1", "5", 22, 1.65, 0.05, 3_500),
    ("XLM", "0.00001", "1", "5", 0.38, 1.45, 0.04, 4_000),
    ("ALGO", "0.0001", "0.1", "5", 0.34, 1.50, 0.05, 3_000),
    ("VET", "0.00001", "1", "5", 0.045, 1.45, 0.05, 3_000),
    ("HBAR", "0.00001", "1", "5", 0.28, 1.60, 0.04, 4_000),
    ("WLD", "0.0001", "1", "5", 2.1, 1.75, 0.04, 4_000),
    ("TIA", "0.0001", "1", "5", 4.9, 1.75, 0.05, 3_000),
)  # fmt: skip


def _row(row: tuple[str, str, str, str, float, float, float, float]) -> PaperInstrument:
    base, tick, step, notional, price, volatility, quiet, traded = row
    return PaperInstrument(
        symbol=f"{base}USDT", base=base, tick=Decimal(tick), step=Decimal(step),
        min_notional=Decimal(notional), start_price=price, volatility=volatility, quiet=quiet,
        quote_per_second=traded,
    )  # fmt: skip


LISTED = tuple(_row(row) for row in _LISTED)


def invented(number: int) -> PaperInstrument:
    """An instrument of no real name, for universes larger than the list."""
    base = f"ALT{number:03d}"
    return _row((base, "0.0001", "0.1", "5", 1.0 + number % 17, 1.5, 0.05, 3_000))


def instruments(count: int) -> tuple[PaperInstrument, ...]:
    """The first ``count`` instruments; past the listed ones they are invented.

    Raises
    ------
    ValueError
        If ``count`` is not within 1..200.
    """
    if not 1 <= count <= MAX_SYMBOLS:
        raise ValueError(f"symbols must be within 1..{MAX_SYMBOLS}, was {count}")
    more = range(len(LISTED) + 1, count + 1)
    return LISTED[:count] + tuple(invented(number) for number in more)


def by_symbol(symbol: str) -> PaperInstrument:
    """The listed instrument of a symbol, for tapes.

    Raises
    ------
    ValueError
        If the symbol is not listed.
    """
    for instrument in LISTED:
        if instrument.symbol == symbol:
            return instrument
    known = ", ".join(instrument.symbol for instrument in LISTED)
    raise ValueError(f"tape symbol must be one of {known}; was {symbol!r}")
