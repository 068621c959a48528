"""Wire protocols, one package per venue; each class is made of an exchange and its credentials."""

from collections.abc import Callable

from local.paper.core.exchange import PaperExchange
from local.paper.credentials import Credentials
from local.paper.venues.binance.wire import BinanceWire
from local.paper.venues.binance_spot.wire import BinanceSpotWire
from local.paper.venues.bybit.wire import BybitWire
from local.paper.venues.okx.wire import OkxWire
from local.paper.wire import VenueWire

WIRES: dict[str, Callable[[PaperExchange, Credentials], VenueWire]] = {
    BinanceWire.name: BinanceWire,
    BinanceSpotWire.name: BinanceSpotWire,
    BybitWire.name: BybitWire,
    OkxWire.name: OkxWire,
}
"""Every venue the paper exchange speaks for; the first one answers hosts that none claims."""
