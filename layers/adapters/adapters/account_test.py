"""The connection test: does the venue accept the key, and can the account be read."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from adapters import accounts, audited
from adapters.audited import audit_row
from adapters.refusals import ConflictError
from adapters.tables import ConnectionRow
from engine.errors import (
    CredentialsError,
    CtsError,
    RetryableError,
    VenueBusyError,
    VenueRefusedError,
)
from engine.events import Account, SnapshotFailed
from engine.ports import Clock, Exchange

LIMIT_S = 25
OpenExchange = Callable[[ConnectionRow], Awaitable[Exchange]]


@dataclass(slots=True)
class Log:
    """What was tried, line by line with its time."""

    clock: Clock
    lines: list[dict[str, Any]] = field(default_factory=list)

    def add(self, text: str) -> None:
        self.lines.append({"at_ms": self.clock.now_ms(), "text": text})


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountTest:
    """Tests a connection and stores the result; success activates it."""

    open_exchange: OpenExchange
    clock: Clock
    limit_s: float = LIMIT_S

    async def run(self, connection_id: str, *, by: str) -> dict[str, Any]:
        """What was found; a venue's refusal is an answer, not an error.

        Raises
        ------
        UnknownError
            If there is no such connection.
        """
        row = accounts.connection_row(connection_id)
        started_ms = self.clock.monotonic_ms()
        log = Log(self.clock)
        account, failure = await self._tried(row, log)
        log.add("test succeeded" if account else f"test failed: {failure}")
        try:
            self._store(row, account, failure, by=by)
        except ConflictError:
            account, failure = None, "the connection was changed during the test; test it again"
            log.add(failure)
        balance = f"{account.equity:f}" if account else ""
        return {
            "success": account is not None,
            "error": failure,
            "details": [failure] if failure else [],
            "balance": balance,
            "balances": _balances(account),
            "capabilities": ["balance", "positions", "orders"] if account else [],
            "log": log.lines,
            "duration": self.clock.monotonic_ms() - started_ms,
        }

    async def _tried(self, row: ConnectionRow, log: Log) -> tuple[Account | None, str]:
        try:
            async with asyncio.timeout(self.limit_s):
                return await self._account(row, log), ""
        except TimeoutError:
            return None, f"{row.exchange} did not answer within {self.limit_s} s"
        except CtsError as error:
            return None, friendly(error)

    async def _account(self, row: ConnectionRow, log: Log) -> Account:
        log.add(f"opening {row.exchange} with the key that ends in {row.api_key_last4}")
        exchange = await self.open_exchange(row)
        try:
            account = await exchange.account()
            log.add("the balance was read")
            snapshot = await exchange.snapshot()
            if isinstance(snapshot, SnapshotFailed):
                raise VenueRefusedError(snapshot.text)
            count = len(snapshot.positions)
            log.add(f"positions ({count}) and open orders ({len(snapshot.orders)}) were read")
        finally:
            await exchange.close()
        return account

    def _store(self, row: ConnectionRow, account: Account | None, failure: str, *, by: str) -> None:
        """Compare-and-set on the version tested: changed credentials are not what was tried."""
        now_ms = self.clock.now_ms()
        values: dict[str, Any] = {
            "last_test_at": now_ms,
            "last_test_result": "success" if account else "failed",
            "last_test_message": failure or "the balance and the positions were read",
            "last_test_balance": account.equity if account else None,
            "updated_at_ms": now_ms,
            "version": row.version + 1,
        }
        if account:
            values["is_active"] = True
        details = {"result": values["last_test_result"], "message": values["last_test_message"]}
        audit = audit_row(
            row.connection_id, "connection.test", by=by, now_ms=now_ms, details=details
        )
        audited.update(audit, row, values, ConnectionRow.version == row.version)


def friendly(error: CtsError) -> str:
    """The cause in words an operator can act on, with what the venue said."""
    if isinstance(error, CredentialsError):
        return (
            "the venue does not accept the key: check key and secret, trading permission, the IP "
            f"whitelist, and that is_testnet fits the key ({error})"
        )
    if isinstance(error, VenueBusyError):
        return f"the venue is overloaded or asks for silence; try later ({error})"
    if isinstance(error, RetryableError):
        return f"the venue could not be reached; check network and address ({error})"
    if isinstance(error, VenueRefusedError):
        return f"the venue refused the request; check the key's permissions ({error})"
    return str(error)


def _balances(account: Account | None) -> list[dict[str, str]]:
    if account is None:
        return []
    return [{"equity": f"{account.equity:f}", "free_margin": f"{account.free_margin:f}"}]
