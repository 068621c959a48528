"""Every kind of fault: where it strikes, what it takes, and what a client sees of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any

from local.paper.wire import Trouble

CONNECT, PONG = "connect", "pong"
_DAY_MS = 86_400_000


class Where(StrEnum):
    """REST: a request; SOCKET: a frame or an opening socket; BOOK: the exchange's own books."""

    REST = "rest"
    SOCKET = "socket"
    BOOK = "book"


def _written(bound: float) -> str:
    return str(int(bound)) if bound == int(bound) else str(bound)


_NAMES = {
    int: "whole number",
    float: "number",
    str: "text",
    Decimal: "text of a decimal number above 0",
    list: "list of [percent, after ms], percents above 0 and together at most 100",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One parameter of a kind; `default` None means that it must be given."""

    name: str
    type: type
    default: Any = None
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()

    @property
    def allowed(self) -> str:
        """Its type and range, in words."""
        if self.choices:
            return "one of " + ", ".join(self.choices)
        name = _NAMES[self.type]
        if self.low is None or self.high is None:
            return name
        return f"{name} from {_written(self.low)} to {_written(self.high)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of fault.

    Attributes
    ----------
    trouble : Trouble or None
        The venue's words that answer in place of the request.
    seen : str
        What a client sees.
    route : str
        Requests it strikes unless a rule says otherwise.
    topic : str
        What it strikes where that is one thing: `connect` a socket that opens, `pong` an answer to
        a ping; empty leaves it to the rule, which then never means these two.
    """

    name: str
    where: Where
    seen: str
    parameters: tuple[Parameter, ...] = ()
    trouble: Trouble | None = None
    route: str = "*"
    topic: str = ""

    def parameter(self, name: str) -> Parameter | None:
        return next((one for one in self.parameters if one.name == name), None)


def _milliseconds(name: str, default: int | None = None) -> Parameter:
    return Parameter(name=name, type=int, default=default, low=0, high=_DAY_MS)


def _text(name: str, default: str | None = None) -> Parameter:
    return Parameter(name=name, type=str, default=default)


def _yes_or_no(name: str, default: str) -> Parameter:
    return Parameter(name=name, type=str, default=default, choices=("yes", "no"))


_EXECUTED = Parameter(
    name="executed", type=str, default="draw", choices=("yes", "no", "draw")
)  # fmt: skip
_SYMBOL = _text("symbol")


def _rest(name: str, seen: str, *parameters: Parameter, trouble: Trouble | None = None) -> Kind:
    return Kind(name=name, where=Where.REST, seen=seen, parameters=parameters, trouble=trouble)


def _socket(name: str, seen: str, *parameters: Parameter, topic: str = "") -> Kind:
    return Kind(name=name, where=Where.SOCKET, seen=seen, parameters=parameters, topic=topic)


def _book(name: str, seen: str, *parameters: Parameter, route: str = "*") -> Kind:
    return Kind(name=name, where=Where.BOOK, seen=seen, parameters=parameters, route=route)


_REST = (
    _rest("rate_limit", "429 (Bybit: code 10006) with the time to wait; not executed",
          _milliseconds("retry_after_ms", 1_000), trouble=Trouble.RATE_LIMIT),
    _rest("ban", "418 (or the venue's own) with the end of the ban, for every request until then",
          _milliseconds("for_ms", 5_000), trouble=Trouble.BANNED),
    _rest("forbidden", "403 with the firewall's page; not executed", trouble=Trouble.FORBIDDEN),
    _rest("restricted", "451, the country is not served; not executed",
          trouble=Trouble.RESTRICTED),
    _rest("internal_error", "500; executed or not, as drawn", _EXECUTED,
          trouble=Trouble.INTERNAL),
    _rest("bad_gateway", "502 with a page of HTML; executed or not, as drawn", _EXECUTED,
          trouble=Trouble.BAD_GATEWAY),
    _rest("unknown_result", "503, code -1000: the venue itself does not know; executed or not",
          _EXECUTED, trouble=Trouble.UNKNOWN_RESULT),
    _rest("overloaded", "503, code -1008: busy; not executed", trouble=Trouble.OVERLOADED),
    _rest("timeout", "408, code -1007: no answer from within; executed or not, as drawn",
          _EXECUTED, trouble=Trouble.TIMEOUT),
    _rest("maintenance", "the venue's words for maintenance, for every request until its end",
          _milliseconds("for_ms", 5_000), trouble=Trouble.MAINTENANCE),
    _rest("revoke_key", "the venue's words for a key it does not know (any more)",
          trouble=Trouble.KEY_REVOKED),
    _rest("clock_refused", "one stamp is refused, although the clocks agree; not executed",
          trouble=Trouble.CLOCK_REFUSED),
    _rest("reject", "an error of the venue with this code; not executed",
          _text("code"), _text("message", "Rejected.")),
    _rest("delay", "the request arrives late, or its answer does",
          _milliseconds("request_ms", 0), _milliseconds("answer_ms", 0)),
    _rest("hang", "no answer; the request never arrives"),
    _rest("abort", "the line is cut; the request never arrives"),
    _rest("accept_then_hang", "no answer, but it was executed"),
    _rest("accept_then_abort", "the line is cut, but it was executed"),
    _rest("not_found_for", "an order or its fills are not found the first so many times",
          Parameter(name="times", type=int, default=3, low=1, high=1_000),
          trouble=Trouble.NO_SUCH_ORDER),
    _rest("empty_list", "an answer without its rows"),
    _rest("malformed", "an answer that is no JSON, cut short, or of another shape; executed",
          Parameter(name="how", type=str, default="truncated",
                    choices=("truncated", "garbage", "empty", "other_shape"))),
    _rest("skew", "the venue's clock stands so far off: stamps are refused, its time shows it",
          Parameter(name="skew_ms", type=int, low=-_DAY_MS, high=_DAY_MS)),
    _rest("header_ramp", "a header's number grows by a step with each request",
          _text("header"), Parameter(name="step", type=int, low=-100_000, high=100_000)),
)  # fmt: skip
_SOCKET = (
    _socket("drop", "a frame never comes"),
    _socket("duplicate", "a frame comes twice"),
    _socket("delay_frame", "a frame comes late, later ones before it", _milliseconds("by_ms")),
    _socket("reorder", "a frame comes after so many later ones (after a second at the latest)",
            Parameter(name="by", type=int, default=1, low=1, high=1_000)),
    _socket("mute", "silence on an open socket, for so long or (0) for ever",
            _milliseconds("for_ms", 0)),
    _socket("drop_pongs", "pings are not answered", topic=PONG),
    _socket("malformed_frame", "a frame cut in its middle"),
    _socket("close", "the socket is closed with this code",
            Parameter(name="code", type=int, default=1000, low=1000, high=4999)),
    _socket("abort_socket", "the line is cut without a close frame (1006)"),
    _socket("refuse_connect", "a new socket is refused with 503", topic=CONNECT),
    _socket("replay", "a new private socket first hears so many old frames again",
            Parameter(name="frames", type=int, default=1, low=1, high=64), topic=CONNECT),
)  # fmt: skip
_BOOK = (
    _book("expire_session", "listen keys and logins end, as the venue says it"),
    _book("external_trade", "a market order of somebody else on the account",
          _SYMBOL, Parameter(name="side", type=str, choices=("BUY", "SELL")),
          Parameter(name="quantity", type=Decimal),
          Parameter(name="position_side", type=str, default="BOTH",
                    choices=("BOTH", "LONG", "SHORT"))),
    _book("external_close", "somebody else closes the positions of a symbol", _SYMBOL),
    _book("external_cancel", "somebody else cancels orders of a symbol", _SYMBOL,
          Parameter(name="what", type=str, default="all", choices=("all", "orders", "algos"))),
    _book("liquidate", "the venue liquidates a symbol's positions", _SYMBOL),
    _book("adl", "the venue takes a share of a symbol's positions for others' losses", _SYMBOL,
          Parameter(name="percent", type=float, default=100.0, low=0.1, high=100.0)),
    _book("flip_position_mode", "one-way and hedge mode change places; only while flat"),
    _book("change_leverage", "somebody else sets the leverage of a symbol", _SYMBOL,
          Parameter(name="leverage", type=int, low=1, high=125)),
    _book("fire_conditionals", "all conditional orders of a symbol fire in one instant",
          _SYMBOL),
    _book("refuse_triggered", "the next conditional order of a symbol fires and is refused",
          _SYMBOL),
    _book("charge_funding", "funding is settled now, at a rate of its own", _text("symbol", ""),
          Parameter(name="rate", type=float, default=0.0001, low=-0.1, high=0.1)),
    _book("change_filters", "quantity step and least value of a symbol change", _SYMBOL,
          Parameter(name="step", type=Decimal, default=""),
          Parameter(name="min_notional", type=Decimal, default="")),
    _book("change_key", "the key may trade, may withdraw, is bound to an address, or not",
          _yes_or_no("can_trade", "yes"), _yes_or_no("can_withdraw", "no"),
          _yes_or_no("is_address_bound", "yes")),
    _book("partial_fill", "the next order that takes executes in parts: [percent, after ms] each",
          _text("symbol", ""), Parameter(name="schedule", type=list), route="POST *order*"),
    _book("slippage", "the book of a symbol is thinner or thicker by a factor", _SYMBOL,
          Parameter(name="liquidity", type=float, low=1e-9, high=1_000.0)),
    _book("shift_mark", "the mark price stands so far from the last one", _SYMBOL,
          Parameter(name="percent", type=float, low=-99.0, high=1_000.0)),
)  # fmt: skip

KINDS: Mapping[str, Kind] = {one.name: one for one in (*_REST, *_SOCKET, *_BOOK)}
