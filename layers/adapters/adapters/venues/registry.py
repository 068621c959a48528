"""Which venues there are, how far each is supported and why: read by the API, which loads no ccxt.

`full`: a dialect of its own, streams, both position modes, verified on a wire of the paper
exchange. `basic`: ccxt's unified methods, polling, one net position a symbol; the dialect is
verified, the venue itself is not. `none`: nothing can be traded, and why.
"""

from dataclasses import dataclass
from enum import StrEnum

from adapters.venues.naming import Naming
from adapters.venues.unified_calls import UnifiedVenue
from engine.errors import RefusedError
from engine.ledger import OrderType

PERPETUALS, SPOT = "perpetual_futures", "spot"


class Level(StrEnum):
    """How far a venue is supported."""

    FULL = "full"
    BASIC = "basic"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Venue:
    """One venue as an operator may choose it; `ccxt_id` is empty where ccxt has no such venue."""

    name: str
    level: Level
    why: str
    ccxt_id: str = ""
    api_types: tuple[str, ...] = (PERPETUALS,)
    aliases: tuple[str, ...] = ()
    needs_passphrase: bool = False
    unified: UnifiedVenue | None = None

    @property
    def has_both_sides(self) -> bool:
        """Whether long and short may be held side by side."""
        return self.level is Level.FULL

    @property
    def has_streams(self) -> bool:
        return self.level is Level.FULL


_OWN = "it has a dialect of its own, verified on a wire of the paper exchange"
_UNIFIED = (
    "it is spoken to through ccxt's unified methods, by polling, with one net position a symbol; "
    "the dialect is verified on other venues' wires, this venue's own answers are not"
)
_ABSENT = "ccxt has no such venue"


def _basic(
    name: str, unified: UnifiedVenue, *, aliases: tuple[str, ...] = (), passphrase: bool = False
) -> Venue:
    return Venue(
        name=name,
        level=Level.BASIC,
        why=_UNIFIED,
        ccxt_id=unified.ccxt_id,
        aliases=aliases,
        needs_passphrase=passphrase,
        unified=unified,
    )


VENUES: tuple[Venue, ...] = (
    Venue(
        name="binance",
        level=Level.FULL,
        why=_OWN,
        ccxt_id="binanceusdm",
        api_types=(PERPETUALS, SPOT),
    ),
    Venue(name="bybit", level=Level.FULL, why=_OWN, ccxt_id="bybit"),
    Venue(name="okx", level=Level.FULL, why=_OWN, ccxt_id="okx", needs_passphrase=True),
    _basic(
        "bingx",
        UnifiedVenue(
            ccxt_id="bingx",
            per_minute=600,
            client_id="clientOrderId",
            leverage={"side": "BOTH"},
        ),
    ),
    _basic(
        "bitget",
        UnifiedVenue(ccxt_id="bitget", per_minute=600, client_id="clientOid"),
        passphrase=True,
    ),
    _basic(
        "gate",
        UnifiedVenue(
            ccxt_id="gate", per_minute=600, client_id="clientOrderId", naming=Naming.SHORT
        ),
        aliases=("gateio",),
    ),
    _basic(
        "kucoin",
        UnifiedVenue(ccxt_id="kucoin", per_minute=600, client_id="clientOid"),
        passphrase=True,
    ),
    _basic(
        "mexc",
        UnifiedVenue(
            ccxt_id="mexc",
            per_minute=600,
            leverage={"openType": 2, "positionType": 1},
            margin_with_leverage=True,
        ),
    ),
    _basic(
        "htx",
        UnifiedVenue(
            ccxt_id="htx",
            per_minute=600,  # 72 reads and 72 orders in 3 seconds
            client_id="clientOrderId",
            naming=Naming.NUMBER,
            apart={
                OrderType.STOP_MARKET: {"stopLoss": True},
                OrderType.TAKE_PROFIT_MARKET: {"takeProfit": True},
            },
            page=100,
            span_ms=48 * 3_600_000,
        ),
        aliases=("huobi",),
    ),
    Venue(name="pionex", level=Level.NONE, why=_ABSENT),
    Venue(name="orangex", level=Level.NONE, why=_ABSENT),
)
_BY_NAME = {name: venue for venue in VENUES for name in (venue.name, *venue.aliases)}


def venue_named(name: str) -> Venue:
    """The venue of a name or an alias.

    Raises
    ------
    RefusedError
        If there is no such venue, or nothing can be traded on it, with why.
    """
    venue = _BY_NAME.get(name)
    if venue is None:
        known = ", ".join(each.name for each in VENUES if each.level is not Level.NONE)
        raise RefusedError(f"exchange must be one of {known}, was {name!r}")
    if venue.level is Level.NONE:
        raise RefusedError(f"{venue.name} is not supported, because {venue.why}")
    return venue


def refuse_unfit(venue: Venue, api_type: str, *, hedge: bool, passphrase: bool) -> None:
    """Raise RefusedError for what the venue does not do, naming the field to change."""
    if api_type not in venue.api_types:
        allowed = ", ".join(venue.api_types)
        raise RefusedError(f"api_type must be one of {allowed} on {venue.name}, was {api_type!r}")
    if hedge and not venue.has_both_sides:
        raise RefusedError(f"position_mode must be one_way on {venue.name}: {venue.why}")
    if venue.needs_passphrase and not passphrase:
        raise RefusedError(f"api_passphrase must be given on {venue.name}: its keys have one")
