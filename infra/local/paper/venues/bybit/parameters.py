"""Reading the parameters of a query or of a JSON body strictly."""

import json
from collections.abc import Collection, Mapping
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl

from local.paper.numbers import finite
from local.paper.venues.bybit import errors

CATEGORIES = ("linear", "spot", "inverse", "option")


class Parameters:
    """The parameters of one request; readers raise the venue's own errors."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = {name: value for name, value in values.items() if value != ""}

    def check_known(self, known: Collection[str]) -> None:
        """Refuse what the route does not read, so that nothing is ever silently misread."""
        unknown = sorted(set(self._values) - set(known))
        if unknown:
            raise errors.bad(f"unknown parameter {', '.join(unknown)}")

    def has(self, name: str) -> bool:
        return name in self._values

    def text(self, name: str, default: str | None = None) -> str:
        value = self._values.get(name, default)
        if value is None:
            raise errors.bad(f"{name} is required")
        if not isinstance(value, str):
            raise errors.bad(f"{name} must be a string")
        return value

    def choice(self, name: str, choices: Collection[str], default: str | None = None) -> str:
        value = self.text(name, default)
        if value not in choices:
            raise errors.bad(f"{name} is illegal")
        return value

    def integer(self, name: str, default: int | None = None) -> int:
        value = self._values.get(name, default)
        if value is None:
            raise errors.bad(f"{name} is required")
        if isinstance(value, bool) or not str(value).lstrip("-").isdigit():
            raise errors.bad(f"{name} must be an integer")
        return int(value)

    def decimal(self, name: str, default: Decimal | None = None) -> Decimal:
        """A number; in bodies Bybit takes them as strings only."""
        if default is not None and not self.has(name):
            return default
        try:
            return finite(self.text(name))
        except ValueError:
            raise errors.bad(f"{name} must be a number") from None

    def flag(self, name: str) -> bool:
        """A boolean; absent means false."""
        value = self._values.get(name, False)
        if not isinstance(value, bool):
            raise errors.bad(f"{name} must be a boolean")
        return value

    def limit(self, default: int, most: int) -> int:
        """`limit` within 1..most."""
        limit = self.integer("limit", default)
        if not 1 <= limit <= most:
            raise errors.bad(f"limit must be within 1..{most}")
        return limit


def of_query(query: str) -> Parameters:
    """The parameters of a query string; a name sent twice is illegal."""
    pairs = parse_qsl(query, keep_blank_values=True)
    values = dict(pairs)
    if len(values) < len(pairs):
        raise errors.bad("duplicate parameter")
    return Parameters(values)


def of_body(body: str) -> Parameters:
    """The parameters of a JSON object."""
    try:
        values = json.loads(body or "{}")
    except ValueError:
        raise errors.bad("the body is not valid JSON") from None
    if not isinstance(values, dict):
        raise errors.bad("the body must be an object")
    return Parameters(values)


def is_linear(given: Parameters) -> bool:
    """Whether linear contracts are meant, the only ones here."""
    return given.choice("category", CATEGORIES) == "linear"


def check_category(given: Parameters) -> None:
    """Only linear contracts are traded here."""
    if not is_linear(given):
        raise errors.VenueError(10001, "Not supported symbols")
