"""One ccxt client of one account: opened when first used, counted, and its errors translated."""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any

import aiohttp

from adapters.access import Access, Network
from adapters.ccxt_loader import load_errors, load_venue
from adapters.failures import (
    ClockSkewError,
    LateRequestError,
    VenueUnclearError,
    translate,
    understood,
)
from adapters.leaving import is_order
from adapters.limits import Board, Limits
from adapters.loopback import loopback_session
from adapters.names import OrderNames
from adapters.reading import read_in_one_task
from adapters.venues import CountsInWindows, CountsOrders, Dialect, Socket
from adapters.witness import Witness
from engine.errors import CtsError, VenueBusyError
from engine.events import Unclear
from engine.ports import Clock

Listener = Callable[[str, Any], None]


def limits_of(dialect: Dialect, clock: Clock, board: Board | None = None) -> Limits:
    """The budget of a venue as its dialect knows it, alone or shared over `board`."""
    counted = dialect.order_limits if isinstance(dialect, CountsOrders) else {}
    window_ms = dialect.limit_window_ms if isinstance(dialect, CountsInWindows) else 60_000
    return Limits(
        clock,
        per_minute=dialect.weight_per_minute,
        board=board,
        order_limits=counted,
        window_ms=window_ms,
    )


class Wire:
    """Calls of one venue by their ccxt names, with raw answers.

    An `Exchange` and a `Feed` of the same account share one: one session, one clock offset, one
    weight budget, one memory of order names.
    """

    def __init__(
        self,
        access: Access,
        clock: Clock,
        dialect: Dialect,
        *,
        timeout_ms: int = 5_000,
        ping_ms: int = 2_000,
        limits: Limits | None = None,
    ) -> None:
        self.access = access
        self.clock = clock
        self.names = OrderNames()
        self.witness = Witness(clock)
        self.limits = limits or limits_of(dialect, clock)
        self._dialect = dialect
        self._timeout_ms = timeout_ms
        self._ping_ms = ping_ms
        self._clock_is_set = False
        self._client: Any = None
        self._session: aiohttp.ClientSession | None = None
        self._listeners: dict[str, Listener] = {}

    def client(self) -> Any:
        """The ccxt client; needs a running loop."""
        if self._client is None:
            self._client = self._build()
        return self._client

    async def call(
        self,
        method: str,
        params: Mapping[str, Any] | None = None,
        *,
        weight: int = 1,
        urgent: bool = False,
        before: Callable[[], None] | None = None,
    ) -> Any:
        """One request, one attempt, the raw JSON answer.

        `before` is asked when its turn has come; what it raises keeps the request back.

        Raises
        ------
        VenueBusyError
            Surely not carried out: overload, ban, or (ClockSkewError) a clock out of step.
        VenueRefusedError
            The venue said no, with its code.
        CredentialsError
            The venue does not accept the key.
        RestrictedLocationError
            The venue serves nobody here.
        VenueUnclearError
            Nobody knows whether it was carried out.
        """
        await self.limits.take(weight, urgent=urgent, is_order=is_order(method))
        if before is not None:
            before()
        answer = await self._translating(getattr(self.client(), method)(dict(params or {})))
        if not isinstance(answer, dict | list):  # ccxt hands on what is no JSON, even nothing
            raise VenueUnclearError("the answer was no JSON", why=Unclear.VENUE)
        return answer

    async def set_clock(self) -> None:
        """Measure the venue's clock against ours, unless that was done and holds.

        Requests are signed with the venue's time; one refused for its time measures anew.
        """
        if not self._clock_is_set:
            await self.limits.take(1, urgent=True)
            await understood(self._translating(self.client().load_time_difference()))
            self._clock_is_set = True

    async def skew_ms(self) -> int:
        """How far the venue's clock is ahead of ours, measured anew."""
        self._clock_is_set = False
        await self.set_clock()
        return -int(self.client().options["timeDifference"])

    def listen(self, url: str, listener: Listener | None) -> None:
        """Hand every message of the socket at `url` to `listener(url, message)`.

        The first message is None: the socket is connected.
        """
        if listener is None:
            self._listeners.pop(url, None)
        else:
            self._listeners[url] = listener

    async def dial(self, socket: Socket) -> None:
        """Open a socket and send its request; ends only by raising what broke it.

        A venue that asked for silence is not dialled either.
        """
        self.limits.check()
        client = self.client()
        client.ws_dial_backoff = {}  # whoever redials keeps its own pace
        request = None if socket.request is None else dict(socket.request)
        try:
            await client.watch(socket.url, "news", request, "news")
        except load_errors().NetworkError as error:
            self._heard_refusal(error)
            raise

    async def say(self, url: str, message: Mapping[str, Any]) -> None:
        """Send a message on the socket at `url`; one that has gone meanwhile takes none."""
        socket = self.client().clients.get(url)
        if socket is not None:
            await socket.send(dict(message))

    async def hang_up(self, url: str) -> None:
        """Close the socket at `url`, if there is one."""
        self.listen(url, None)
        if self._client is not None and self._client.clients:
            socket = self._client.clients.pop(url, None)
            if socket is not None:
                await socket.close()

    def hide(self, text: str) -> str:
        """`text` without secrets of this account."""
        return self.access.hide(text)

    async def close(self) -> None:
        """Close every socket and the session; the wire may be used again."""
        client, self._client = self._client, None
        session, self._session = self._session, None
        self._clock_is_set = False
        self._listeners.clear()
        if client is not None:
            await client.close()
        if session is not None:
            await session.close()

    async def _translating(self, request: Awaitable[Any]) -> Any:
        try:
            return await request
        except load_errors().BaseError as error:
            translated = self._translated(error)
            await self.limits.settle()  # a container may be frozen after its last answer
            raise translated from None  # ccxt's text holds signed URLs

    def _translated(self, error: Exception) -> CtsError:
        translated = translate(error, self._dialect.errors, hide=self.hide)
        if isinstance(translated, ClockSkewError | LateRequestError):
            self._clock_is_set = False
        if isinstance(translated, VenueBusyError) and translated.until_ms is not None:
            self.limits.silence(translated.until_ms)
        return translated

    def _build(self) -> Any:
        base = load_venue(self._dialect.ccxt_id)
        # A subclass made here, because the base exists only once ccxt is loaded.
        hooked = type(
            base.__name__,
            (base,),
            {
                "handle_message": self._on_message,
                "on_rest_response": self._on_answer,
                "on_connected": self._on_connected,
            },
        )
        options = {
            "apiKey": self.access.api_key,
            "secret": self.access.api_secret,
            "password": self.access.api_passphrase,
            "enableRateLimit": False,  # `limits` counts instead: ccxt would delay orders
            "timeout": self._timeout_ms,
            "options": {"ws": {"keepAlive": self._ping_ms}},
        }
        if self.access.network is Network.PAPER and self.access.paper is not None:
            self._session = options["session"] = loopback_session(self.access.paper)
        client = hooked(options)
        self._dialect.adjust(client)
        if self.access.network is Network.TESTNET:
            self._dialect.use_testnet(client)
        return client

    def _on_connected(self, socket: Any, message: Any = None) -> None:
        del message
        _forgive_late_pongs(socket.connection)
        read_in_one_task(socket)
        self._on_message(socket, None)

    def _on_message(self, socket: Any, message: Any) -> None:
        if message is not None and self._dialect.is_pong(message):
            socket.lastPong = self.client().milliseconds()  # or ccxt would give the line up
            return  # the line lives, which says nothing of the publisher behind it
        listener = self._listeners.get(socket.url)
        if listener is not None:
            listener(socket.url, message)

    def _on_answer(
        self, status: int, reason: str, url: str, method: str, headers: Any, body: str, *_: Any
    ) -> str:
        del reason, url, method
        used_header = self._dialect.used_weight_header
        self.limits.heard(status, headers, used_header=used_header, body=body)
        return body.strip()

    def _heard_refusal(self, error: Exception) -> None:
        """A handshake may be told to be silent, too; 403 there only means: no streams for you."""
        cause = error.args[0] if error.args else None
        if isinstance(cause, aiohttp.WSServerHandshakeError) and cause.status in (418, 429, 451):
            self.limits.heard(cause.status, cause.headers or {}, used_header="", body=cause.message)


def _forgive_late_pongs(connection: Any) -> None:
    """A ping read after its socket has closed, as after a thaw, needs no answer.

    ccxt answers pings in tasks of which nobody takes the error: each would be a traceback.
    """
    pong = connection.pong

    async def answer(message: bytes = b"") -> None:
        with suppress(aiohttp.ClientConnectionResetError):
            await pong(message)

    connection.pong = answer
