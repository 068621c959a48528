"""`adapters.limits.Board` on the table `request_limits`.

Without it every worker would learn of a ban by calling into it, which makes bans longer. All
workers of a deployment count as one address: whether they share one the venue alone can see.
"""

import asyncio
from collections.abc import Callable

from pynamodb.exceptions import PynamoDBException, UpdateError
from pynamodb.expressions.update import Action

from adapters.limits import Notice
from adapters.tables import LimitRow
from adapters.tables.limits import SILENCE
from adapters.transactions import is_refused, response_code
from engine.ports import Log

_KEPT_S = 3_600
_MINUTE_S = 60


class DynamoBoard:
    """One row a minute and one for silence. What the table does not answer is not known.

    Attributes
    ----------
    failures : int
        Calls of the table that failed: then every worker knows only what it heard itself. The log
        is told when that begins.
    """

    def __init__(self, venue: str, log: Log | None = None) -> None:
        self._venue = venue
        self._log = log
        self._answers = True
        self.failures = 0

    async def read(self, minute: int) -> Notice:
        rows = await self._asked(lambda: self._rows(minute))
        by_slot = {row.slot: row for row in rows or ()}
        weight, silence = by_slot.get(_slot(minute)), by_slot.get(SILENCE)
        return Notice(
            used=(weight.used or 0) if weight else 0,
            silent_until_ms=(silence.silent_until_ms or 0) if silence else 0,
            reason=(silence.reason or "") if silence else "",
        )

    async def silence(self, until_ms: int, reason: str) -> None:
        await self._asked(lambda: self._lengthen(until_ms, reason))

    async def add(self, minute: int, weight: int) -> None:
        row = LimitRow(self._venue, _slot(minute))
        expires_at = LimitRow.expires_at.set(minute * _MINUTE_S + _KEPT_S)
        await self._asked(lambda: row.update([LimitRow.used.add(weight), expires_at]))

    def _rows(self, minute: int) -> list[LimitRow]:
        later = LimitRow.slot >= _slot(minute)
        return list(LimitRow.query(self._venue, later, consistent_read=True))

    def _lengthen(self, until_ms: int, reason: str) -> None:
        is_longer = LimitRow.silent_until_ms.does_not_exist()
        is_longer |= LimitRow.silent_until_ms < until_ms
        actions: list[Action] = [
            LimitRow.silent_until_ms.set(until_ms),
            LimitRow.reason.set(reason),
            LimitRow.expires_at.set(until_ms // 1000 + _KEPT_S),
        ]
        try:
            LimitRow(self._venue, SILENCE).update(actions, condition=is_longer)
        except UpdateError as error:
            if not is_refused(error):
                raise

    async def _asked[T](self, work: Callable[[], T]) -> T | None:
        """Beside the loop: ticks and orders do not wait for a word to other workers."""
        try:
            found = await asyncio.to_thread(work)
        except PynamoDBException as error:
            self.failures += 1
            if self._answers and self._log is not None:
                facts = {
                    "venue": self._venue,
                    "error": response_code(error) or type(error.cause).__name__,
                }
                self._log.problem("request limits are not shared", facts)
            self._answers = False
            return None
        self._answers = True
        return found


def _slot(minute: int) -> str:
    return f"{minute:010d}"
