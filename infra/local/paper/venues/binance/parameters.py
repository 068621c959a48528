"""Reading request parameters strictly."""

from collections.abc import Collection, Mapping
from decimal import Decimal

from local.paper.numbers import finite
from local.paper.venues.binance import errors


class Parameters:
    """The parameters of one request, as text; readers raise the venue's own errors."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values
        for name, value in values.items():
            if value == "":
                raise errors.VenueError(errors.empty(name))

    def check_known(self, known: Collection[str]) -> None:
        """Refuse what the route does not read, as the strictest of Binance's routes do."""
        read = sum(name in known for name in self._values)
        if read < len(self._values):
            raise errors.VenueError(errors.unread(read, len(self._values)))

    def has(self, name: str) -> bool:
        return name in self._values

    def text(self, name: str, default: str | None = None) -> str:
        value = self._values.get(name, default)
        if value is None:
            raise errors.VenueError(errors.missing(name))
        return value

    def choice(
        self,
        name: str,
        choices: Collection[str],
        error: errors.Answer,
        default: str | None = None,
    ) -> str:
        value = self.text(name, default)
        if value not in choices:
            raise errors.VenueError(error)
        return value

    def integer(self, name: str, default: int | None = None) -> int:
        text = self.text(name, None if default is None else str(default))
        if not text.lstrip("-").isdigit():
            raise errors.VenueError(errors.illegal(name))
        return int(text)

    def decimal(self, name: str, default: Decimal | None = None) -> Decimal:
        text = self.text(name, None if default is None else str(default))
        try:
            return finite(text)
        except ValueError:
            raise errors.VenueError(errors.illegal(name)) from None

    def flag(self, name: str) -> bool:
        """``true`` or ``false``; absent means false."""
        text = self.text(name, "false").lower()
        if text not in ("true", "false"):
            raise errors.VenueError(errors.illegal(name))
        return text == "true"
