"""What a venue's wire protocol is to the server: pure requests and answers, sockets as sessions.

A wire keeps no connection and no thread of its own. The server carries its words over TLS; a
simulation calls the same methods in its own process, under its own clock.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from local.paper.core.books import Event
from local.paper.core.exchange import PaperExchange

Json = Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """An HTTP request as it was sent: `query` and `body` raw, header names in lower case."""

    method: str
    path: str
    query: str = ""
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the venue answers: JSON, a status, and its headers."""

    body: Json
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


class Session(Protocol):
    """One client's socket.

    Attributes
    ----------
    topics : set of str
        The market streams it follows, in the venue's words.
    """

    topics: set[str]

    def heard(self, text: str) -> Sequence[str]:
        """Act on a frame of the client (subscription, login, ping); the frames to answer with."""
        ...

    def framed(self, topic: str, text: str) -> str:
        """A market event of `topic` as this client gets it."""
        ...

    def told(self, event: Event) -> Sequence[str]:
        """The frames this client gets for a change of the books; none unless it may see them."""
        ...


class VenueWire(Protocol):
    """One venue's protocol over books of its own.

    Attributes
    ----------
    name : str
        `binance`, `binance_spot`, `bybit` or `okx`.
    hosts : tuple of str
        Host names it answers to; a leading dot stands for every name that ends so.
    exchange : PaperExchange
        Its books and its market.
    """

    name: str
    hosts: tuple[str, ...]
    exchange: PaperExchange

    def answer(self, request: Request) -> Answer:
        """Route a request, check key, signature and time, and carry it out."""
        ...

    def session(self, path: str, query: str) -> Session | Answer:
        """A socket opened at that address, or why not."""
        ...

    def market_events(self, topic: str, start_ms: int, end_ms: int) -> Sequence[str]:
        """What a market stream says in [start, end]; an unknown one is silent."""
        ...
