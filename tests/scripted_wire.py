"""Wires whose answers a test wrote, for what no paper exchange says."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from tests.fakes import FakeClock

from adapters.access import Access, Network
from adapters.venues import Dialect
from adapters.wire import Wire


class Pages(list[Any]):
    """Answers of one method, one for each call."""


class ScriptedAnswers:
    """By method: a value, an error, a function to wait for, or `Pages` of them.

    `asked` are methods and parameters in the order of the calls.
    """

    def __init__(self, answers: Mapping[str, Any]) -> None:
        self.answers: dict[str, Any] = dict(answers)
        self.asked: list[tuple[str, dict[str, Any]]] = []

    async def call(
        self,
        method: str,
        params: Mapping[str, Any] | None = None,
        *,
        weight: int = 1,
        urgent: bool = False,
        before: Callable[[], None] | None = None,
    ) -> Any:
        await asyncio.sleep(0)
        if before is not None:
            before()
        self.asked.append((method, dict(params or {})))
        answer = self.answers[method]
        found = answer.pop(0) if isinstance(answer, Pages) else answer
        if isinstance(found, Exception):
            raise found
        return self.framed(await found() if callable(found) else found)

    def framed(self, answer: Any) -> Any:
        """An answer in what the venue puts around all of them."""
        return answer

    def sent(self, method: str) -> list[dict[str, Any]]:
        """The parameters of each call of a method."""
        return [params for asked, params in self.asked if asked == method]


class ScriptedWire(ScriptedAnswers, Wire):
    """A wire with such answers, and a clock that is right."""

    def __init__(self, venue: str, dialect: Dialect, answers: Mapping[str, Any]) -> None:
        Wire.__init__(self, Access(venue=venue, network=Network.LIVE), FakeClock(), dialect)
        ScriptedAnswers.__init__(self, answers)

    async def set_clock(self) -> None:
        """It is right."""
