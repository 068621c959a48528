"""Which symbols an engine trades."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from engine.errors import RefusedError
from engine.settings import Settings
from engine.values import Instrument


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """The instruments to trade, in order, and the wished symbols the venue does not trade."""

    instruments: tuple[Instrument, ...]
    dropped: tuple[str, ...]


def choose(
    instruments: Sequence[Instrument], settings: Settings, *, held: Collection[str] = ()
) -> Choice:
    """Forced symbols first, then the main ones or the venue's top until the number is reached.

    Symbols `held` in positions are traded on whatever the settings say by now: else nobody would
    guard them. The quote asset is appended to every configured base; what the venue does not trade
    is dropped and told.

    Raises
    ------
    RefusedError
        If nothing is left.
    """
    tradable = {one.symbol: one for one in instruments if one.quote == settings.quote_asset}
    forced = [f"{base}{settings.quote_asset}" for base in settings.forced_symbols]
    main = [f"{base}{settings.quote_asset}" for base in settings.main_symbols]
    wished = list(dict.fromkeys(forced + (main if settings.use_main_symbols else [])))
    chosen = [symbol for symbol in wished if symbol in tradable]
    if not settings.use_main_symbols:
        top = [symbol for symbol in _ranked(tradable, settings) if symbol not in chosen]
        chosen += top[: max(0, settings.number_of_symbols - len(chosen))]
    chosen += [symbol for symbol in sorted(held) if symbol in tradable and symbol not in chosen]
    if not chosen:
        raise RefusedError(f"the venue trades no symbol in {settings.quote_asset} that is wanted")
    return Choice(
        instruments=tuple(tradable[symbol] for symbol in chosen),
        dropped=tuple(symbol for symbol in (*wished, *held) if symbol not in tradable),
    )


def groups(symbols: Sequence[str], *, size: int) -> list[list[str]]:
    """Consecutive groups of at most `size` symbols."""
    return [list(symbols[start : start + size]) for start in range(0, len(symbols), size)]


def _ranked(tradable: dict[str, Instrument], settings: Settings) -> list[str]:
    if settings.symbol_order == "alphabetical":
        return sorted(tradable)
    return sorted(tradable, key=lambda symbol: (-tradable[symbol].volume_24h_quote, symbol))
