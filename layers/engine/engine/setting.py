"""One setting: what an operator needs to know of it, how it is declared, how a value is checked."""

import re
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from enum import StrEnum

from engine.errors import InvalidSettingError

Scalar = bool | int | Decimal | str
Value = Scalar | tuple[Scalar, ...]


# Written like "5 .. 300 by 5 s"; a list has no step, a count no unit.
_RANGE = re.compile(r"(\S+) \.\. (\S+)(?: by (\S+))?(?: (.+))?")


_LONGEST_LIST = 100
_LONGEST_WORD = 30
_MOST_DIGITS = 15


class Effect(StrEnum):
    """When a changed value starts to count.

    `NOW` is for what no loop reads. A running loop takes the others over at the edge of a tick, at
    its next burst, or not before the engine starts anew: what would change the Sets waits for that.
    """

    NOW = "at once"
    TICK = "next tick"
    BURST = "next burst"
    START = "next engine start"


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What an operator needs to know about one key."""

    key: str
    tab: str
    effect: Effect
    text: str
    minimum: Decimal | None = None
    maximum: Decimal | None = None
    step: Decimal | None = None
    unit: str = ""
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Tab:
    """Declares settings of one tab whose changes count from `effect` on.

    Numbers are written as text, lists with spaces between, ranges as `low .. high by step unit`.
    """

    name: str
    effect: Effect

    def switch(self, default: bool, key: str, text: str) -> bool:
        return _declared(default, self._about(key, text))

    def whole(self, default: int, key: str, bounds: str, text: str) -> int:
        return _declared(default, self._bounded(key, bounds, text))

    def decimal(self, default: str, key: str, bounds: str, text: str) -> Decimal:
        return _declared(Decimal(default), self._bounded(key, bounds, text))

    def choice(self, default: str, key: str, choices: str, text: str) -> str:
        return _declared(default, self._about(key, text, tuple(choices.split(" | "))))

    def wholes(self, default: str, key: str, bounds: str, text: str) -> tuple[int, ...]:
        return _declared(tuple(map(int, default.split())), self._bounded(key, bounds, text))

    def decimals(self, default: str, key: str, bounds: str, text: str) -> tuple[Decimal, ...]:
        return _declared(tuple(map(Decimal, default.split())), self._bounded(key, bounds, text))

    def words(self, default: str, key: str, text: str) -> tuple[str, ...]:
        return _declared(tuple(default.split()), self._about(key, text))

    def _about(self, key: str, text: str, choices: tuple[str, ...] = ()) -> Setting:
        return Setting(key=key, tab=self.name, effect=self.effect, text=text, choices=choices)

    def _bounded(self, key: str, bounds: str, text: str) -> Setting:
        parts = _RANGE.fullmatch(bounds)
        assert parts, f"{key}: {bounds!r} is no range"
        low, high, step, unit = parts.groups()
        return Setting(
            key=key,
            tab=self.name,
            effect=self.effect,
            text=text,
            minimum=Decimal(low),
            maximum=Decimal(high),
            step=None if step is None else Decimal(step),
            unit=unit or "",
        )


def _declared[T: Value](default: T, about: Setting) -> T:
    return field(default=default, metadata={"setting": about})


def checked(about: Setting, value: object, like: Value) -> Value:
    """`value` as the type of `like` and inside the setting's range or choices.

    Raises
    ------
    InvalidSettingError
        Naming key, value and what is allowed.
    """
    if not isinstance(like, tuple):
        return _one(about, value, like)
    if not isinstance(value, (list, tuple)) or not 0 < len(value) <= _LONGEST_LIST:
        each = _allowed(about, like[0])
        raise _refused(about, f"a list, up to {_LONGEST_LIST} long, each {each}", value)
    return tuple(_one(about, part, like[0]) for part in value)


def _one(about: Setting, value: object, like: Scalar) -> Scalar:
    if isinstance(like, bool):
        if not isinstance(value, bool):
            raise _refused(about, _allowed(about, like), value)
        return value
    if isinstance(like, str):
        if not isinstance(value, str) or not _is_word(about, value):
            raise _refused(about, _allowed(about, like), value)
        return value
    return _number(about, value, like)


def _is_word(about: Setting, value: str) -> bool:
    if about.choices:
        return value in about.choices
    return value.isalnum() and len(value) <= _LONGEST_WORD


def _number(about: Setting, value: object, like: int | Decimal) -> int | Decimal:
    number = _decimal(value)
    if number is None or not number.is_finite() or not _is_short(number):
        raise _refused(about, _allowed(about, like), value)
    low, high = about.minimum, about.maximum
    if (low is not None and number < low) or (high is not None and number > high):
        raise _refused(about, _allowed(about, like), value)
    if isinstance(like, Decimal):
        return number
    if number != int(number):
        raise _refused(about, _allowed(about, like), value)
    return int(number)


def _is_short(number: Decimal) -> bool:
    """Whether it is written with no more digits than a setting needs."""
    _, digits, exponent = number.as_tuple()
    return len(digits) <= _MOST_DIGITS and isinstance(exponent, int) and exponent >= -_MOST_DIGITS


def _decimal(value: object) -> Decimal | None:
    try:
        return Decimal(str(value))
    except InvalidOperation:
        return None


def _allowed(about: Setting, like: Scalar) -> str:
    """What a value may be, in words."""
    if isinstance(like, bool):
        return "true or false"
    if isinstance(like, str):
        if about.choices:
            return f"one of {', '.join(about.choices)}"
        return f"text of letters and digits, up to {_LONGEST_WORD}"
    kind = "a whole number" if isinstance(like, int) else "a number"
    return f"{kind} between {about.minimum} and {about.maximum} {about.unit}".rstrip()


def _refused(about: Setting, allowed: str, value: object) -> InvalidSettingError:
    return InvalidSettingError(f"setting {about.key} must be {allowed}, was {value!r:.100}")
