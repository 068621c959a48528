"""Asks the API for the whole screen, one call each time, and keeps its last answer."""

from collections.abc import Callable
from dataclasses import replace
from http import HTTPStatus
from typing import Any

from console.address import SetupError
from console.client import ApiError, ApiRefusedError, Client
from console.state import KEPT_CANDLES, Screen, chosen, taken

SELDOM = 5  # refreshes between two measurements of how punctual the loops are
_MOST_TICKS = 300
_SPARE_SECONDS = 10  # asked for beyond what is missing, so that no hole is left


class Reader:
    """The screen's state and how it is renewed; `wait_s` is what the API asked for last."""

    def __init__(self, client: Client, clock_ms: Callable[[], int]) -> None:
        self.screen = Screen()
        self.wait_s = 0
        self._client = client
        self._clock_ms = clock_ms
        self._turn = 0

    async def refresh(self) -> None:
        """Ask once; an answer about what is no longer chosen is dropped."""
        choice = self.screen.choice
        asked_of = (choice.connection_id, choice.symbol)
        cadence = self._turn % SELDOM == 0 or self.screen.cadence is None
        self._turn += 1
        try:
            told = await self._client.snapshot(
                *asked_of, candles=self._candles(), ticks=self._ticks(), cadence=cadence
            )
        except (ApiError, SetupError) as error:
            if self._is_chosen(asked_of):
                self._failed(error)
        else:
            self.wait_s = 0
            if self._is_chosen(asked_of):
                self.screen = taken(self.screen, told, self._clock_ms())

    async def turn_to(self, symbol: str) -> None:
        """Show another symbol of the same engine."""
        connection_id = self.screen.choice.connection_id
        self.screen = chosen(self.screen, connection_id=connection_id, symbol=symbol)
        await self.refresh()

    async def turn_to_next_account(self) -> None:
        """Show the engine of the account after this one."""
        ids = [account.id for account in self.screen.accounts]
        now = self.screen.choice.connection_id
        if now in ids:
            following = ids[(ids.index(now) + 1) % len(ids)]
            self.screen = chosen(self.screen, connection_id=following, symbol="")
            await self.refresh()

    def choose(self, **changes: Any) -> None:
        """Change what the operator is being asked and told."""
        self.screen = replace(self.screen, choice=replace(self.screen.choice, **changes))

    def _is_chosen(self, asked_of: tuple[str, str]) -> bool:
        choice = self.screen.choice
        return (choice.connection_id, choice.symbol) == asked_of

    def _failed(self, error: ApiError | SetupError) -> None:
        """The last answer stays; an account or symbol that is gone is chosen no more."""
        refused = isinstance(error, ApiRefusedError)
        self.wait_s = error.wait_s if isinstance(error, ApiRefusedError) else 0
        screen = self.screen
        if isinstance(error, ApiRefusedError) and error.status == HTTPStatus.NOT_FOUND:
            screen = chosen(screen, connection_id="", symbol="")
        renewed = screen.snapshot.failed(str(error), refused=refused)
        self.screen = replace(screen, snapshot=renewed)

    def _candles(self) -> int:
        known = self.screen.candles
        if known is None or not known.candles:
            return KEPT_CANDLES
        return min(KEPT_CANDLES, self._missed_seconds(known.candles[-1].time_ms))

    def _ticks(self) -> int:
        known = self.screen.tally
        return (
            _MOST_TICKS if known is None else min(_MOST_TICKS, self._missed_seconds(known.last_ms))
        )

    def _missed_seconds(self, since_ms: int) -> int:
        return max(0, self._clock_ms() - since_ms) // 1000 + _SPARE_SECONDS
