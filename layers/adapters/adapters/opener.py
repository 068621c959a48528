"""Opens the venue of a connection, and keeps it open for the container's next burst."""

import os
from dataclasses import dataclass, field

from adapters.access import Access, Network, paper_address
from adapters.accounts import connection_row
from adapters.engine_rows import settings_or_last
from adapters.exchange import CcxtExchange
from adapters.feed import CcxtFeed
from adapters.feed_settings import FeedSettings
from adapters.limit_board import DynamoBoard
from adapters.limits import Limits
from adapters.pacing import Pace
from adapters.tables import ConnectionRow
from adapters.venues import Dialect
from adapters.venues.binance import BinanceUsdm
from adapters.venues.binance_spot import BinanceSpot
from adapters.venues.bybit import BybitLinear
from adapters.venues.htx import HtxSwap
from adapters.venues.okx import OkxSwap
from adapters.venues.registry import refuse_unfit, venue_named
from adapters.venues.unified import UnifiedSwap
from adapters.wire import Wire, limits_of
from engine.errors import InvalidSettingError, RefusedError, StoreBusyError
from engine.orders import connection_mark
from engine.ports import Clock, Log, Vault

_POLL_MS = 1_000
_DIALECTS: dict[tuple[str, str], type[Dialect]] = {
    ("binance", "perpetual_futures"): BinanceUsdm,
    ("binance", "spot"): BinanceSpot,
    ("bybit", "perpetual_futures"): BybitLinear,
    ("okx", "perpetual_futures"): OkxSwap,
}
_UNIFIED: dict[str, type[UnifiedSwap]] = {"htx": HtxSwap}
"""Where the unified methods leave something out."""


def dialect_of(exchange: str, api_type: str) -> Dialect:
    """How a venue speaks; raises RefusedError for one that is not supported, with why."""
    venue = venue_named(exchange)
    made = _DIALECTS.get((venue.name, api_type))
    if made is not None:
        return made()
    refuse_unfit(venue, api_type, hedge=False, passphrase=True)
    if venue.unified is None:
        raise RefusedError(f"{venue.name} {api_type} has no dialect")
    return _UNIFIED.get(venue.name, UnifiedSwap)(venue.unified)


def access_of(row: ConnectionRow, vault: Vault | None) -> Access:
    """The account behind a connection; without a vault only its public side can be used."""
    network = _network(row)
    secrets = {} if vault is None else vault.open(row.connection_id, row.credentials)
    return Access(
        venue=row.exchange,
        network=network,
        api_key=secrets.get("api_key", ""),
        api_secret=secrets.get("api_secret", ""),
        api_passphrase=secrets.get("api_passphrase", ""),
        paper=paper_address(os.environ) if network is Network.PAPER else None,
    )


_Version = tuple[int, bytes, Pace]


@dataclass(slots=True)
class _Venue:
    version: _Version
    wire: Wire
    feed: CcxtFeed
    exchange: CcxtExchange


@dataclass(slots=True)
class VenueOpener:
    """`engine.ports.Opener`; changed credentials, flags or paces open a connection's venue anew.

    All connections of one venue and network share one budget, and it with all other workers.
    """

    clock: Clock
    vault: Vault
    log: Log | None = None
    venues: dict[tuple[str, bool], _Venue] = field(default_factory=dict)
    limits: dict[str, Limits] = field(default_factory=dict)

    async def feed(self, connection_id: str, *, private: bool) -> CcxtFeed:
        return (await self._venue(connection_id, private=private)).feed

    async def exchange(self, connection_id: str, *, private: bool) -> CcxtExchange:
        return (await self._venue(connection_id, private=private)).exchange

    async def _venue(self, connection_id: str, *, private: bool) -> _Venue:
        row = connection_row(connection_id)
        known = self.venues.get((connection_id, private))
        pace = self._pace(connection_id, known)
        version = (int(row.is_paper) + 2 * int(row.is_testnet), bytes(row.credentials), pace)
        if known is not None and known.version == version:
            return known
        if known is not None:
            await known.feed.close()
            await known.wire.close()
        opened = self._opened(row, version, private=private)
        self.venues[connection_id, private] = opened
        return opened

    def _pace(self, connection_id: str, known: _Venue | None) -> Pace:
        """The pace an operator wants; while that cannot be read, the last one."""
        try:
            return Pace.of(settings_or_last(connection_id, self.log).settings)
        except (StoreBusyError, InvalidSettingError):
            if known is None:
                raise
            return known.version[-1]

    def _opened(self, row: ConnectionRow, version: _Version, *, private: bool) -> _Venue:
        dialect = dialect_of(row.exchange, row.api_type)
        access = access_of(row, self.vault if private else None)
        wire = Wire(access, self.clock, dialect, limits=self._limits(dialect, access.network))
        wire.names.mark = connection_mark(row.connection_id)
        pace = version[-1]
        settings = _feed_settings(row.exchange, pace)
        return _Venue(
            version=version,
            wire=wire,
            feed=CcxtFeed(wire, dialect, self.clock, settings=settings, log=self.log),
            exchange=CcxtExchange(wire, dialect, self.clock, pace=pace),
        )

    def _limits(self, dialect: Dialect, network: Network) -> Limits:
        name = f"{dialect.ccxt_id}#{network}"
        if name not in self.limits:
            self.limits[name] = limits_of(dialect, self.clock, DynamoBoard(name, self.log))
        return self.limits[name]


def _feed_settings(exchange: str, pace: Pace) -> FeedSettings:
    """Streams where there are any; else prices once a second, which every venue allows."""
    if venue_named(exchange).has_streams:
        return FeedSettings(pace=pace)
    return FeedSettings(pace=pace, stream=False, poll_ms=_POLL_MS, slow_poll_ms=_POLL_MS)


def _network(row: ConnectionRow) -> Network:
    if row.is_paper:
        return Network.PAPER
    return Network.TESTNET if row.is_testnet else Network.LIVE
