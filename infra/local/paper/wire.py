"""What a venue's wire protocol is to the server: pure requests and answers, sockets as sessions.

A wire keeps no connection and no thread of its own. The server carries its words over TLS; a
simulation calls the same methods in its own process, under its own clock.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
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
    """What the venue answers: JSON, a status, and its headers.

    Attributes
    ----------
    raw : str
        Sent in place of `body` where it is set: a gateway's page, or JSON that is broken.
    """

    body: Json = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    raw: str = ""

    @property
    def text(self) -> str:
        """The body as it goes over the line."""
        return self.raw or json.dumps(self.body)


class Trouble(StrEnum):
    """What can be wrong with a venue as a whole; each wire has its own words for it.

    UNKNOWN_RESULT and TIMEOUT say that a request may or may not have been carried out; by
    OVERLOADED, RATE_LIMIT and MAINTENANCE it was not.
    """

    RATE_LIMIT = "rate_limit"
    BANNED = "banned"
    FORBIDDEN = "forbidden"
    RESTRICTED = "restricted"
    INTERNAL = "internal"
    BAD_GATEWAY = "bad_gateway"
    UNKNOWN_RESULT = "unknown_result"
    OVERLOADED = "overloaded"
    TIMEOUT = "timeout"
    MAINTENANCE = "maintenance"
    KEY_REVOKED = "key_revoked"
    CLOCK_REFUSED = "clock_refused"
    NO_SUCH_ORDER = "no_such_order"


class Session(Protocol):
    """One client's socket.

    Attributes
    ----------
    topics : set of str
        The market streams it follows, in the venue's words.
    is_private : bool
        Whether it now gets the account's news.
    """

    topics: set[str]

    @property
    def is_private(self) -> bool: ...

    def heard(self, text: str) -> Sequence[str]:
        """Act on a frame of the client (subscription, login, ping); the frames to answer with."""
        ...

    def framed(self, topic: str, text: str) -> str:
        """A market event of `topic` as this client gets it."""
        ...

    def told(self, event: Event) -> Sequence[str]:
        """The frames this client gets for a change of the books; none unless it may see them."""
        ...

    def expired(self) -> Sequence[str]:
        """Its right to the account's news ends, as by `VenueWire.expire`; the last words it gets.

        Without a last word the venue hangs up.
        """
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
        Its books and its market. `exchange.shown_ms()` is the time to show (the time route) and
        to measure a request's stamp by: it may stand off from `now_ms()`, which is for the books.
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

    def printed_trade_id(self, trade_id: int) -> str:
        """An own execution's id in the books as the venue prints it."""
        ...

    def troubled(self, trouble: Trouble, *, until_ms: int) -> Answer:
        """The venue's own words for a trouble, with its status and headers.

        `until_ms` is when a limit or a ban ends: in `Retry-After` or in the words, as the venue
        has it.
        """
        ...

    def rejected(self, code: str, message: str) -> Answer:
        """A request refused with a code of the venue's own: nothing was done.

        For an order that is where the venue puts the fate of a single order.
        """
        ...

    def expire(self) -> None:
        """End what opens private sockets (listen keys); a client must ask for it anew."""
        ...
