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


class Effect(StrEnum):
    """When a changed value starts to count."""

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
    if not isinstance(value, (list, tuple)) or not value:
        raise InvalidSettingError(f"setting {about.key} must be a list, was {value!r}")
    return tuple(_one(about, part, like[0]) for part in value)


def _one(about: Setting, value: object, like: Scalar) -> Scalar:
    if isinstance(like, bool):
        if not isinstance(value, bool):
            raise InvalidSettingError(f"setting {about.key} must be true or false, was {value!r}")
        return value
    if isinstance(like, str):
        return _text(about, value)
    number = _number(about, value)
    if isinstance(like, int):
        if number != int(number):
            raise InvalidSettingError(f"setting {about.key} must be whole, was {value!r}")
        return int(number)
    return number


def _text(about: Setting, value: object) -> str:
    if not isinstance(value, str) or (about.choices and value not in about.choices):
        allowed = f" one of {', '.join(about.choices)}" if about.choices else " text"
        raise InvalidSettingError(f"setting {about.key} must be{allowed}, was {value!r}")
    return value


def _number(about: Setting, value: object) -> Decimal:
    try:
        number = Decimal(str(value)) if not isinstance(value, bool) else None
    except InvalidOperation:
        number = None
    if number is None or not number.is_finite():
        raise InvalidSettingError(f"setting {about.key} must be a number, was {value!r}")
    low, high = about.minimum, about.maximum
    if (low is not None and number < low) or (high is not None and number > high):
        raise InvalidSettingError(
            f"setting {about.key} must be between {low} and {high} {about.unit}".rstrip()
            + f", was {value!r}"
        )
    return number
