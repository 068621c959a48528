"""Requests under a fault plan: what reaches the venue, what it does, and what comes back.

Pure of sockets and of waiting, so that a server and a simulation share it: they wait as long as
they are told, and end the line as they are told.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from enum import StrEnum
from urllib.parse import parse_qsl

from local.paper.faults.books import BEFORE, act
from local.paper.faults.plan import Fault, FaultPlan
from local.paper.wire import Answer, Json, Request, Trouble, VenueWire

_ORDER_NAMES = (
    "origClientOrderId", "clientAlgoId", "orderLinkId", "clOrdId", "algoClOrdId", "orderId",
    "algoId", "ordId",
)  # fmt: skip
_FILLS = ("Trades", "/execution/list", "/fills", "/fills-history")
_DRAWN = 0.5


class Ending(StrEnum):
    """What becomes of the line: an answer comes, none ever does, or it is cut."""

    ANSWERED = "answered"
    HUNG = "hung"
    ABORTED = "aborted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """A request under way and its faults; it arrives after `wait_ms`."""

    request: Request
    faults: tuple[Fault, ...]

    @property
    def wait_ms(self) -> int:
        return sum(one.parameters.get("request_ms", 0) for one in self.faults)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a request ends, after `wait_ms` more."""

    answer: Answer
    ending: Ending
    wait_ms: int
    executed: bool


class Carrier:
    """One venue's wire under a plan.

    Parameters
    ----------
    expire : callable
        Ends what opens private sockets, and those that are open.
    """

    def __init__(
        self, wire: VenueWire, plan: FaultPlan, *, expire: Callable[[], None] | None = None
    ) -> None:
        self._wire = wire
        self._plan = plan
        self._expire = expire or wire.expire

    def act(self, fault: Fault) -> str:
        """Do to the venue's books what a fault says; what became of it, in words."""
        if fault.kind == "expire_session":
            self._expire()
            return "sessions expired"
        return act(self._wire.exchange, fault)

    def arrive(self, request: Request) -> Arrival:
        """Draw the faults of a request."""
        named = asked_order(request)
        now_ms = self._wire.exchange.now_ms()
        faults = self._plan.on_request(
            self._wire.name, request.method, request.path, now_ms, named=named
        )
        return Arrival(request=request, faults=faults)

    def finish(self, arrival: Arrival) -> Outcome:
        """Carry the request out, or not, and say what comes back.

        The first fault that stands for an answer words it; the others add to it.
        """
        faults = arrival.faults
        executed = all(_is_executed(one) for one in faults)
        answer = Answer()
        if executed:
            answer = self._carried_out(arrival)
        for fault in reversed(faults):
            answer = self._spoilt(fault, arrival.request, answer)
        endings = [_ENDINGS[one.kind] for one in faults if one.kind in _ENDINGS]
        return Outcome(
            answer=answer, ending=endings[0] if endings else Ending.ANSWERED, executed=executed,
            wait_ms=sum(one.parameters.get("answer_ms", 0) for one in faults),
        )  # fmt: skip

    def _carried_out(self, arrival: Arrival) -> Answer:
        request, now_ms = arrival.request, self._wire.exchange.now_ms()
        moments = self._plan.on_books(self._wire.name, request.method, request.path, now_ms)
        for one in moments:
            if one.kind in BEFORE:
                self.act(one)
        with _skewed(self._wire, arrival.faults):
            answer = self._wire.answer(request)
        for one in moments:
            if one.kind not in BEFORE:
                self.act(one)
        return answer

    def _spoilt(self, fault: Fault, request: Request, answer: Answer) -> Answer:
        trouble = fault.rule.kind.trouble
        if trouble is Trouble.NO_SUCH_ORDER and request.path.endswith(_FILLS):
            return _without_rows(fault, answer)
        if trouble is not None:
            return self._wire.troubled(trouble, until_ms=fault.until_ms)
        if fault.kind == "reject":
            given = fault.parameters
            return self._wire.rejected(given["code"], given["message"])
        spoil = _SPOILERS.get(fault.kind)
        return answer if spoil is None else spoil(fault, answer)


def asked_order(request: Request) -> str:
    """The one order a query asks for, by whatever id; empty for all else."""
    values = dict(parse_qsl(request.query)) if request.method == "GET" else {}
    return next((values[one] for one in _ORDER_NAMES if one in values), "")


_ENDINGS = {
    "hang": Ending.HUNG, "accept_then_hang": Ending.HUNG,
    "abort": Ending.ABORTED, "accept_then_abort": Ending.ABORTED,
}  # fmt: skip
_NEVER_ARRIVES = {"hang", "abort", "reject"}


def _is_executed(fault: Fault) -> bool:
    if "executed" in fault.parameters:
        wanted = fault.parameters["executed"]
        return fault.draw < _DRAWN if wanted == "draw" else bool(wanted == "yes")
    if fault.kind == "not_found_for":
        return True
    return fault.rule.kind.trouble is None and fault.kind not in _NEVER_ARRIVES


@contextmanager
def _skewed(wire: VenueWire, faults: tuple[Fault, ...]) -> Iterator[None]:
    """The clock the venue shows stands off for one request; its books keep the true one."""
    wire.exchange.skew_ms = sum(one.parameters.get("skew_ms", 0) for one in faults)
    try:
        yield
    finally:
        wire.exchange.skew_ms = 0


def _malformed(fault: Fault, answer: Answer) -> Answer:
    text = {
        "truncated": answer.text[: max(len(answer.text) // 2, 1)],
        "garbage": '{"oops": ]',
        "empty": " ",
        "other_shape": '["unexpected"]',
    }[fault.parameters["how"]]
    return replace(answer, raw=text)


def _without_rows(fault: Fault, answer: Answer) -> Answer:
    return replace(answer, body=_emptied(answer.body))


def _emptied(body: Json) -> Json:
    """Lists become empty, at the top or in the venue's envelope."""
    if isinstance(body, list):
        return []
    if isinstance(body, dict):
        return {name: _emptied(value) for name, value in body.items()}
    return body


def _ramped(fault: Fault, answer: Answer) -> Answer:
    """The header as the venue spells it, or as the rule does where the venue does not send it."""
    name = fault.parameters["header"]
    held = {one.lower(): one for one in answer.headers}
    spelled = held.get(name.lower(), name)
    number = int(answer.headers.get(spelled, "0")) + fault.parameters["step"] * fault.number
    return replace(answer, headers=dict(answer.headers) | {spelled: str(max(number, 0))})


_SPOILERS: dict[str, Callable[[Fault, Answer], Answer]] = {
    "malformed": _malformed, "empty_list": _without_rows, "header_ramp": _ramped,
}  # fmt: skip
