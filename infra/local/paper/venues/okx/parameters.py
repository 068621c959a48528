"""Reading request parameters strictly, from a query or from a JSON object."""

import json
from collections.abc import Collection, Mapping
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl

from local.paper.numbers import finite
from local.paper.venues.okx import errors


class Parameters:
    """The parameters of one request; readers raise the venue's own errors.

    A number may be sent as text or as a number, a truth as `true` or as its text.
    """

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = {name: _text(value) for name, value in values.items()}

    def check_known(self, known: Collection[str]) -> None:
        """Refuse what the route does not read, stricter than OKX, which would ignore it."""
        for name in self._values:
            if name not in known:
                raise errors.VenueError(errors.illegal(name))

    def has(self, name: str) -> bool:
        """Whether it was sent, and not empty."""
        return bool(self._values.get(name))

    def text(self, name: str, default: str | None = None) -> str:
        value = self._values.get(name) or default
        if value is None:
            raise errors.VenueError(errors.empty(name))
        return value

    def choice(self, name: str, choices: Collection[str], default: str | None = None) -> str:
        value = self.text(name, default)
        if value not in choices:
            raise errors.VenueError(errors.illegal(name))
        return value

    def integer(self, name: str, default: int | None = None) -> int:
        text = self.text(name, None if default is None else str(default))
        if not text.isdigit():
            raise errors.VenueError(errors.illegal(name))
        return int(text)

    def decimal(self, name: str, default: Decimal | None = None) -> Decimal:
        text = self.text(name, None if default is None else str(default))
        try:
            return finite(text)
        except ValueError:
            raise errors.VenueError(errors.illegal(name)) from None

    def flag(self, name: str) -> bool:
        """`true` or `false`; absent means false."""
        return self.choice(name, ("true", "false"), "false") == "true"


def of_query(query: str) -> Parameters:
    """The parameters of a GET."""
    return Parameters(dict(parse_qsl(query, keep_blank_values=True)))


def of_body(body: str) -> list[Parameters]:
    """The requests of a POST: one object, or a list of them."""
    try:
        given = json.loads(body or "{}")
    except ValueError:
        raise errors.VenueError(errors.BAD_JSON) from None
    rows = given if isinstance(given, list) else [given]
    if not rows or not all(isinstance(row, dict) for row in rows):
        raise errors.VenueError(errors.BAD_JSON)
    return [Parameters(row) for row in rows]


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)
