"""What a connection test looks at, step by step: each adds a line, some a warning, some end it."""

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, field
from typing import Any

from adapters.symbol_choice import choose
from adapters.tables import ConnectionRow
from engine.errors import (
    CredentialsError,
    CtsError,
    RefusedError,
    RestrictedLocationError,
    RetryableError,
    VenueBusyError,
    VenueRefusedError,
)
from engine.events import Account, KeyRights, Snapshot, SnapshotFailed
from engine.orders import is_ours
from engine.ports import Clock, Exchange
from engine.settings import Settings
from engine.values import Instrument

UNKNOWN_RIGHTS = KeyRights(can_trade=None, can_withdraw=None, is_address_bound=None)
_SPOT = "spot"


class TestFailedError(RefusedError):
    """The account can be read, but must not or cannot be traded as it is."""

    __test__ = False  # not a test case


@dataclass(slots=True)
class Log:
    """What was tried, line by line with its time; warnings are lines that stand out."""

    clock: Clock
    lines: list[dict[str, Any]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def add(self, text: str) -> None:
        self.lines.append({"at_ms": self.clock.now_ms(), "text": text})

    def warn(self, text: str) -> None:
        self.warnings.append(text)
        self.add(f"warning: {text}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What the test read of an account."""

    account: Account
    rights: KeyRights = UNKNOWN_RIGHTS


@dataclass(frozen=True, slots=True, kw_only=True)
class Checks:
    """The steps of one test: balance first, because it tells whether the key is one at all."""

    exchange: Exchange
    row: ConnectionRow
    settings: Settings
    log: Log

    async def run(self) -> Found:
        """What was found.

        Raises
        ------
        CtsError
            If the account cannot be read.
        TestFailedError
            If it must not be traded: no right to trade, a right to withdraw where that is refused,
            too little for any symbol.
        """
        account = await self._balance()
        rights = await self._rights()
        await self._clock()
        await self._book()
        await self._minimums(account)
        return Found(account=account, rights=rights)

    async def _balance(self) -> Account:
        account = await self.exchange.account()
        self.log.add(f"the balance was read: equity {account.equity:f}")
        if account.equity <= 0:
            self.log.warn("the account is empty: nothing can be opened")
        return account

    async def _rights(self) -> KeyRights:
        rights = await self._tried(self.exchange.rights(), "the rights of the key")
        if rights is None:
            return UNKNOWN_RIGHTS
        if rights.can_trade is False:
            raise TestFailedError(
                f"the key may not trade {self.row.api_type}: enable it in the venue's settings of "
                "the key"
            )
        if rights.can_withdraw:
            self._withdrawal()
        if rights.is_address_bound is False:
            self.log.warn("the key is bound to no address: whoever steals it can use it anywhere")
        self.log.add(f"the key may trade: {_told(rights.can_trade)}")
        self.log.add(f"it may withdraw: {_told(rights.can_withdraw)}")
        self.log.add(f"it is bound to addresses: {_told(rights.is_address_bound)}")
        return rights

    def _withdrawal(self) -> None:
        text = "the key may withdraw money, which nothing here needs: take that right away"
        if self.settings.withdraw_right == "refuse":
            raise TestFailedError(text)
        self.log.warn(text)

    async def _clock(self) -> None:
        ahead_ms = await self._tried(self.exchange.skew_ms(), "the venue's clock")
        if ahead_ms is None:
            return
        where = "ahead" if ahead_ms > 0 else "behind"
        self.log.add(f"the venue's clock is {abs(ahead_ms)} ms {where}")
        if abs(ahead_ms) > self.settings.clock_skew_ms:
            self.log.warn(
                f"the clocks differ by {abs(ahead_ms)} ms, more than clockSkewMs: set ours"
            )

    async def _book(self) -> None:
        snapshot = await self.exchange.snapshot()
        if isinstance(snapshot, SnapshotFailed):
            raise RetryableError(snapshot.text)
        positions, orders = len(snapshot.positions), len(snapshot.orders)
        self.log.add(f"positions ({positions}) and open orders ({orders}) were read")
        if self.row.api_type == _SPOT:
            return  # an account of assets: no modes, and what it holds is its owner's
        self._mode(snapshot)
        foreign = [one for one in snapshot.orders if not is_ours(one.client_order_id)]
        if snapshot.positions and not any(is_ours(one.client_order_id) for one in snapshot.orders):
            self.log.warn(
                f"{positions} positions are open that nobody here guards: they are handled as "
                f"externalPositions says ({self.settings.external_positions})"
            )
        if foreign:
            self.log.add(f"{len(foreign)} open orders are of others: they are never touched")

    def _mode(self, snapshot: Snapshot) -> None:
        wanted = self.row.position_mode == "hedge"
        if snapshot.hedge is None or snapshot.hedge is wanted:
            self.log.add(f"the position mode is {self.row.position_mode}, as wanted")
        elif snapshot.positions:
            raise TestFailedError(
                f"the position mode is not {self.row.position_mode}, and cannot be changed while "
                "positions are open: close them, or change position_mode of the connection"
            )
        else:
            self.log.add(f"the position mode will be set to {self.row.position_mode} at the start")
        self.log.add(f"margin ({self.row.margin_type}) and leverage are set before a first order")

    async def _minimums(self, account: Account) -> None:
        found = await self._tried(self.exchange.instruments(), "what can be traded")
        if found is None:
            return
        try:
            chosen = choose(found, self.settings).instruments
        except RefusedError as error:
            self.log.warn(str(error))
            return
        self._compare(chosen, account)

    def _compare(self, chosen: Sequence[Instrument], account: Account) -> None:
        """The least order of each symbol against what one symbol may take of the equity."""
        most = account.equity * self.settings.max_symbol_exposure_pct / 100
        beyond = [one.symbol for one in chosen if one.min_notional > most]
        if account.equity > 0 and len(beyond) == len(chosen):
            least = min(one.min_notional for one in chosen)
            raise TestFailedError(
                f"equity {account.equity:f} is too small: one symbol may take {most:f} of it "
                f"(maxSymbolExposurePercent), the least order is {least:f}"
            )
        if beyond and account.equity > 0:
            self.log.warn(f"too dear for this equity, never opened: {', '.join(beyond)}")
        self.log.add(f"{len(chosen) - len(beyond)} of {len(chosen)} chosen symbols can be traded")

    async def _tried[T](self, answer: Awaitable[T], what: str) -> T | None:
        """The answer, or a warning: a test does not fail over what only helps to judge."""
        try:
            return await answer
        except (CredentialsError, RetryableError, RefusedError) as error:
            self.log.warn(f"{what} could not be read ({error})")
            return None


def friendly(error: CtsError, row: ConnectionRow) -> str:
    """The cause in words an operator can act on, with what the venue said."""
    if isinstance(error, TestFailedError):
        return str(error)
    if isinstance(error, RestrictedLocationError):
        return f"{row.exchange} serves nobody where this runs; run it in another region ({error})"
    if isinstance(error, CredentialsError):
        network = "the paper exchange" if row.is_paper else _network(row)
        return (
            "the venue does not accept the key: check key, secret and passphrase, trading "
            f"permission and the IP whitelist, and that it is a key of {network}: is_testnet must "
            f"fit the key ({error})"
        )
    return _of_the_way(error)


def _of_the_way(error: CtsError) -> str:
    if isinstance(error, VenueBusyError):
        return f"the venue is overloaded or asks for silence; try later ({error})"
    if isinstance(error, RetryableError):
        return f"the venue could not be reached; check network and address ({error})"
    if isinstance(error, VenueRefusedError):
        return f"the venue refused the request; check the key's permissions ({error})"
    return str(error)


def _network(row: ConnectionRow) -> str:
    return "the venue's test net" if row.is_testnet else "the venue's live net"


def _told(value: bool | None) -> str:
    return {True: "yes", False: "no", None: "the venue does not say"}[value]
