"""The connection test: does the venue accept the key, and can the account be traded as it is."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from adapters import accounts, audited
from adapters.account_checks import Checks, Found, Log, friendly
from adapters.audited import audit_row
from adapters.refusals import ConflictError
from adapters.stored_settings import settings_of
from adapters.tables import ConnectionRow
from engine.errors import CtsError
from engine.ports import Clock, Exchange

LIMIT_S = 25
OpenExchange = Callable[[ConnectionRow], Awaitable[Exchange]]


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
        found, failure = await self._tried(row, log)
        log.add("test succeeded" if found else f"test failed: {failure}")
        try:
            self._store(row, found, failure, log.warnings, by=by)
        except ConflictError:
            found, failure = None, "the connection was changed during the test; test it again"
            log.add(failure)
        return {
            "success": found is not None,
            "error": failure,
            "details": [failure] if failure else [],
            "warnings": log.warnings,
            "balance": f"{found.account.equity:f}" if found else "",
            "balances": _balances(found),
            "capabilities": _capabilities(found),
            "log": log.lines,
            "duration": self.clock.monotonic_ms() - started_ms,
        }

    async def _tried(self, row: ConnectionRow, log: Log) -> tuple[Found | None, str]:
        try:
            async with asyncio.timeout(self.limit_s):
                return await self._found(row, log), ""
        except TimeoutError:
            last = log.lines[-1]["text"] if log.lines else "nothing"
            return None, f"{row.exchange} did not answer within {self.limit_s} s; last: {last}"
        except CtsError as error:
            return None, friendly(error, row)

    async def _found(self, row: ConnectionRow, log: Log) -> Found:
        log.add(f"opening {row.exchange} with the key that ends in {row.api_key_last4}")
        exchange = await self.open_exchange(row)
        settings = settings_of(row.connection_id).settings
        try:
            return await Checks(exchange=exchange, row=row, settings=settings, log=log).run()
        finally:
            await exchange.close()

    def _store(
        self,
        row: ConnectionRow,
        found: Found | None,
        failure: str,
        warnings: Sequence[str],
        *,
        by: str,
    ) -> None:
        """Compare-and-set on the version tested: changed credentials are not what was tried."""
        now_ms = self.clock.now_ms()
        values: dict[str, Any] = {
            "last_test_at": now_ms,
            "last_test_result": "success" if found else "failed",
            "last_test_message": failure or "; ".join(warnings) or "nothing is amiss",
            "last_test_balance": found.account.equity if found else None,
            "updated_at_ms": now_ms,
            "version": row.version + 1,
        }
        if found:
            values["is_active"] = True
        details = {"result": values["last_test_result"], "message": values["last_test_message"]}
        audit = audit_row(
            row.connection_id, "connection.test", by=by, now_ms=now_ms, details=details
        )
        audited.update(audit, row, values, ConnectionRow.version == row.version)


def _balances(found: Found | None) -> list[dict[str, str]]:
    if found is None:
        return []
    account = found.account
    return [{"equity": f"{account.equity:f}", "free_margin": f"{account.free_margin:f}"}]


def _capabilities(found: Found | None) -> list[str]:
    """What the key was seen to be able to do."""
    if found is None:
        return []
    can_trade = ["trading"] if found.rights.can_trade else []
    return ["balance", "positions", "orders", *can_trade]
