"""Rules of a fault plan: which fault, at which requests, frames or moments."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

from local.paper.faults.kinds import KINDS, Kind, Parameter, Where

_LONG_AGO, _FAR_AHEAD = 0, 10**15
_WHOLE = 100


class RuleError(ValueError):
    """A rule that cannot be; the message names field, value and what is allowed."""

    def __init__(self, name: str, value: object, allowed: str) -> None:
        super().__init__(f"{name}={value!r} must be {allowed}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A fault and when it strikes; patterns are those of a shell (`*`, `?`).

    Of `nth`, `every` and `chance` one may be given; with none of them each match is struck.

    Attributes
    ----------
    route : str
        Pattern of `METHOD /path` for requests, and for books: there the fault follows the answer.
    topic : str
        Pattern of a frame's topic: a market stream in the venue's words, `private.order`,
        `private.algo`, `private.account`, `private.config`, or `reply` to a client's word.
    most : int
        Strikes after which the rule rests; 0 is no limit.
    from_ms, until_ms : int
        Only in that time of the venue (epoch).
    at_ms : int
        For books: strike once at that moment, whatever is asked; 0 is off.
    """

    fault: str
    venue: str = "*"
    route: str = "*"
    topic: str = "*"
    nth: int = 0
    every: int = 0
    chance: float = 1.0
    most: int = 0
    from_ms: int = _LONG_AGO
    until_ms: int = _FAR_AHEAD
    at_ms: int = 0
    parameters: Mapping[str, Any] = field(default_factory=dict)

    @property
    def kind(self) -> Kind:
        return KINDS[self.fault]

    @property
    def where(self) -> Where:
        return self.kind.where


_FIELDS: dict[str, Parameter] = {
    one.name: one
    for one in (
        Parameter(name="venue", type=str),
        Parameter(name="route", type=str),
        Parameter(name="topic", type=str),
        Parameter(name="nth", type=int, low=1, high=10**9),
        Parameter(name="every", type=int, low=1, high=10**9),
        Parameter(name="chance", type=float, low=0, high=1),
        Parameter(name="most", type=int, low=1, high=10**9),
        Parameter(name="from_ms", type=int, low=_LONG_AGO, high=_FAR_AHEAD),
        Parameter(name="until_ms", type=int, low=_LONG_AGO, high=_FAR_AHEAD),
        Parameter(name="at_ms", type=int, low=1, high=_FAR_AHEAD),
    )
}
_ONLY: dict[str, tuple[Where, ...]] = {
    "route": (Where.REST, Where.BOOK),
    "topic": (Where.SOCKET,),
    "at_ms": (Where.BOOK,),
}
_SELECTORS = ("nth", "every", "chance")


def read_rule(given: Any, *, venues: Collection[str] = ()) -> Rule:
    """A rule from JSON: `fault`, the fields of `Rule`, and the fault's parameters in `with`.

    Raises
    ------
    RuleError
        If a field is unknown, missing, of the wrong type or out of range.
    """
    if not isinstance(given, dict):
        raise RuleError("rule", given, "an object")
    kind = _kind(given.get("fault"))
    plain = {name: value for name, value in given.items() if name not in ("fault", "with", "where")}
    if given.get("where", kind.where) != kind.where:
        raise RuleError("where", given["where"], f"{kind.where} for the fault {kind.name}")
    values = {name: _field(kind, name, value) for name, value in plain.items()}
    chosen = [name for name in _SELECTORS if name in values]
    if len(chosen) > 1:
        raise RuleError(chosen[1], values[chosen[1]], f"absent when {chosen[0]} is given")
    if venues and values.get("venue", "*") not in ("*", *venues):
        raise RuleError("venue", values["venue"], f"one of *, {', '.join(venues)}")
    values.setdefault("route", kind.route)
    return Rule(fault=kind.name, parameters=_parameters(kind, given.get("with", {})), **values)


def _kind(name: object) -> Kind:
    if not isinstance(name, str) or name not in KINDS:
        raise RuleError("fault", name, f"one of {', '.join(KINDS)}")
    return KINDS[name]


def _field(kind: Kind, name: str, value: object) -> Any:
    known = _FIELDS.get(name)
    if known is None:
        raise RuleError("field", name, f"one of fault, where, with, {', '.join(_FIELDS)}")
    if name == "topic" and kind.topic:
        raise RuleError(name, value, f"absent: {kind.name} strikes every {kind.topic}")
    if kind.where not in _ONLY.get(name, tuple(Where)):
        fits = " or ".join(_ONLY[name])
        raise RuleError(name, value, f"absent: {kind.name} strikes {kind.where}, not {fits}")
    return _value(known, value)


def _parameters(kind: Kind, given: object) -> dict[str, Any]:
    if not isinstance(given, dict):
        raise RuleError("with", given, "an object")
    for name in given:
        if kind.parameter(name) is None:
            names = ", ".join(one.name for one in kind.parameters) or "nothing"
            raise RuleError("with", name, f"of {names} for the fault {kind.name}")
    found = {}
    for one in kind.parameters:
        if one.name not in given and one.default is None:
            raise RuleError(one.name, None, one.allowed)
        found[one.name] = _value(one, given[one.name]) if one.name in given else one.default
    return found


def _value(parameter: Parameter, value: Any) -> Any:
    """The value in the parameter's type; a whole number is a number too."""
    fits = _FITS[parameter.type](value)
    if fits and parameter.choices:
        fits = value in parameter.choices
    if fits and parameter.low is not None and parameter.high is not None:
        fits = parameter.low <= value <= parameter.high
    if not fits:
        raise RuleError(parameter.name, value, parameter.allowed)
    return float(value) if parameter.type is float else value


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: Any) -> bool:
    return _is_whole(value) or isinstance(value, float)


def _is_amount(value: Any) -> bool:
    try:
        amount = Decimal(value) if isinstance(value, str) else Decimal(0)
    except InvalidOperation:
        return False
    return amount.is_finite() and amount > 0


def _is_schedule(value: Any) -> bool:
    """Shares of an order and when they execute."""
    if not isinstance(value, list) or not value:
        return False
    pairs = all(isinstance(one, list) and len(one) == 2 for one in value)
    if not pairs or not all(_is_number(one) and _is_whole(ms) for one, ms in value):
        return False
    percents = [float(one) for one, _ in value]
    return min(percents) > 0 and sum(percents) <= _WHOLE and all(int(ms) >= 0 for _, ms in value)


_FITS: dict[type, Callable[[Any], bool]] = {
    int: _is_whole,
    float: _is_number,
    str: lambda value: isinstance(value, str),
    Decimal: _is_amount,
    list: _is_schedule,
}
