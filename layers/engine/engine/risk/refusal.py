"""A refusal is a value: a reason code and the figures behind it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why something was not done: a reason code and the figures behind it."""

    code: str
    numbers: Mapping[str, Decimal] = field(default_factory=dict)

    @property
    def texts(self) -> dict[str, str]:
        """The numbers as they are stored and shown."""
        return {name: f"{number:f}" for name, number in self.numbers.items()}


def above(code: str, name: str, number: Decimal, limit: Decimal) -> Refusal | None:
    """A refusal with both figures if the number is above its limit."""
    return Refusal(code=code, numbers={name: number, "limit": limit}) if number > limit else None
