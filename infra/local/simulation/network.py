"""The way between workers and the venue: requests travel, are carried out, and answers come back.

A worker that dies loses its answer, not its request. What arrives is answered by the venue's own
wire; only what never reaches it, or is spoilt on the way back, is worded here.
"""

import asyncio
import random
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from local.paper.wire import Answer, Request
from local.simulation.hazards import Hazards, Mortal
from local.simulation.history import History
from local.simulation.stage import Stage
from local.simulation.steps import CLOCK, STEP, Step
from local.simulation.venue import VenueSide
from local.simulation.weather import DOUBTFUL, TROUBLES, Fate, Weather

_HASTE_MS = (4, 60)
_LATE_MS = (600, 4_500)
_SLOW_MS = (300, 2_400)
_BAN_MS = (500, 3_000)
_SHORT_MS = 1_000
_READY_US = 400_000  # clock and mode may have to be read first


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """An answer as it was sent."""

    status: int
    body: str
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(slots=True)
class Network:
    """One worker after the other asks; each request has a fate of its own."""

    stage: Stage
    venue: VenueSide
    weather: Weather
    hazards: Hazards
    history: History
    dice: random.Random
    send_window_ms: int
    left: set[str] = field(default_factory=set)
    banned_until_ms: int = 0
    requests: int = 0

    async def ask(self, worker: Mortal, request: Request, timeout_s: float) -> Said:
        """One request and its answer.

        Raises
        ------
        TimeoutError, aiohttp.ClientConnectionError
            As the client of a real network would.
        """
        step = STEP.get() or CLOCK
        if step.name == "place" and request.method == "POST":
            self._check_leaving(step.client_order_id)
        self.hazards.at(worker, f"{step.name} before", step.client_order_id)
        fate = self.weather.fate(step.name, self.stage.now_us)
        if fate is not Fate.FINE:
            self.history.strike(worker.name, str(fate), step.name, step.client_order_id)
        self.requests += 1
        journey = _Journey(self, worker, request, step, fate)
        journey.leave()
        self.hazards.at(worker, f"{step.name} sent", step.client_order_id)
        async with asyncio.timeout(timeout_s):
            said = await journey.answer
        self.hazards.at(worker, f"{step.name} answered", step.client_order_id)
        return said

    def _check_leaving(self, name: str) -> None:
        """An order leaves once, within its window from the claim, and never without one."""
        claimed_us = self.hazards.claimed_us.get(name)
        if claimed_us is None:
            self.history.break_rule(f"{name} sent without a claim")
        elif self.stage.now_us - claimed_us > self.send_window_ms * 1000 + _READY_US:
            self.history.break_rule(f"{name} sent after its window")
        if name in self.left:
            self.history.break_rule(f"{name} sent twice")
        self.left.add(name)

    def is_banned(self) -> bool:
        return self.venue.now_ms() < self.banned_until_ms


class _Journey:
    """A request on its way, which goes on whatever becomes of who sent it."""

    def __init__(
        self, network: Network, worker: Mortal, request: Request, step: Step, fate: Fate
    ) -> None:
        self._network = network
        self._worker = worker
        self._request = request
        self._step = step
        self._fate = fate
        self.answer: asyncio.Future[Said] = worker.loop.create_future()

    def leave(self) -> None:
        """Set out; a refused connection fails soon, a lost request never arrives."""
        dice = self._network.dice
        going_ms = dice.randrange(*_HASTE_MS)
        match self._fate:
            case Fate.LOST:
                return
            case Fate.REFUSED:
                self._break(going_ms)
            case Fate.LATE:
                self._arrive_in(dice.randrange(*_LATE_MS))
            case _:
                self._arrive_in(going_ms)

    def _arrive_in(self, delay_ms: int) -> None:
        self._network.venue.loop.call_later(delay_ms / 1000, self._arrive)

    def _arrive(self) -> None:
        network, dice = self._network, self._network.dice
        said = self._said()
        back_ms = dice.randrange(*_HASTE_MS)
        match self._fate:
            case Fate.HANG:
                return
            case Fate.ABORT:
                self._break(back_ms)
            case Fate.SLOW:
                self._bring(said, dice.randrange(*_SLOW_MS))
            case _:
                self._bring(said, back_ms)
        if network.stage.is_over:
            self.answer.cancel()

    def _said(self) -> Said:
        network, fate = self._network, self._fate
        if network.is_banned():
            return self._worded(Fate.BANNED, network.banned_until_ms)
        if fate is Fate.BANNED:
            network.banned_until_ms = network.venue.now_ms() + network.dice.randrange(*_BAN_MS)
            network.history.disturbed_until(network.stage.now_us + _BAN_MS[1] * 1000)
            return self._worded(fate, network.banned_until_ms)
        if fate is Fate.DENIED:
            return written(network.venue.denied())
        if fate not in TROUBLES:
            return self._carried_out()
        if fate in DOUBTFUL and network.dice.random() < 0.5:
            self._carried_out()
        return self._worded(fate, network.venue.now_ms() + _SHORT_MS)

    def _worded(self, fate: Fate, until_ms: int) -> Said:
        """In the venue's own words; a firewall's silence of minutes is cut short."""
        said = written(self._network.venue.wire.troubled(TROUBLES[fate], until_ms=until_ms))
        if fate is Fate.FORBIDDEN:
            return replace(said, headers=(*said.headers, ("Retry-After", "1")))
        return said

    def _carried_out(self) -> Said:
        network, fate = self._network, self._fate
        hide_ms = network.weather.hide_ms(self._step.name, is_lagging=fate is Fate.LAGGING)
        answer = network.venue.answer(
            self._request, hide_ms=hide_ms, empty=fate is Fate.EMPTY, told=self._step.name
        )
        return _spoilt(written(answer), fate)

    def _bring(self, said: Said, delay_ms: int) -> None:
        self._worker.loop.call_later(delay_ms / 1000, self._deliver, said)

    def _deliver(self, said: Said) -> None:
        if not self.answer.done():
            self.answer.set_result(said)

    def _break(self, delay_ms: int) -> None:
        self._worker.loop.call_later(delay_ms / 1000, self._fail)

    def _fail(self) -> None:
        if not self.answer.done():
            self.answer.set_exception(aiohttp.ClientConnectionError("connection reset"))


def written(answer: Answer) -> Said:
    """An answer as it travels."""
    return Said(status=answer.status, body=answer.text, headers=tuple(answer.headers.items()))


def _spoilt(said: Said, fate: Fate) -> Said:
    if fate is Fate.GARBAGE:
        return Said(status=said.status, body='{"oops": ]', headers=said.headers)
    if fate is Fate.TRUNCATED:
        return Said(status=said.status, body=said.body[: len(said.body) // 2], headers=said.headers)
    return said


class Session:
    """What ccxt takes for its HTTP session."""

    def __init__(self, network: Network, worker: Mortal) -> None:
        self._network = network
        self._worker = worker
        self.closed = False
        self.headers: dict[str, str] = {}

    async def close(self) -> None:
        """Nothing is open."""

    def get(self, url: Any, **how: Any) -> "_Exchange":
        return self._call("GET", url, **how)

    def post(self, url: Any, **how: Any) -> "_Exchange":
        return self._call("POST", url, **how)

    def put(self, url: Any, **how: Any) -> "_Exchange":
        return self._call("PUT", url, **how)

    def delete(self, url: Any, **how: Any) -> "_Exchange":
        return self._call("DELETE", url, **how)

    def _call(
        self,
        method: str,
        url: Any,
        *,
        data: bytes | None,
        headers: Mapping[str, str],
        timeout: Any,
        proxy: Any,
    ) -> "_Exchange":
        del proxy
        parts = urlsplit(str(url))
        request = Request(
            method=method,
            path=parts.path,
            query=parts.query,
            body=(data or b"").decode(),
            headers={name.lower(): str(value) for name, value in headers.items()},
        )
        return _Exchange(self._network, self._worker, request, timeout.total)


class _Exchange:
    """One request as aiohttp's context manager, and its response."""

    def __init__(
        self, network: Network, worker: Mortal, request: Request, timeout_s: float
    ) -> None:
        self._ask = network.ask(worker, request, timeout_s)
        self._said = Said(status=0, body="")
        self.reason = ""

    async def __aenter__(self) -> "_Exchange":
        self._said = await self._ask
        return self

    async def __aexit__(self, *_: object) -> None:
        """Nothing is held open."""

    @property
    def status(self) -> int:
        return self._said.status

    @property
    def headers(self) -> dict[str, str]:
        return dict(self._said.headers)

    @property
    def content(self) -> object:
        """The raw stream, which ccxt hands on where a body is no JSON."""
        return self

    async def text(self, errors: str = "replace") -> str:
        del errors
        return self._said.body
