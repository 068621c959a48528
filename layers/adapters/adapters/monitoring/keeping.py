"""How long the log lasts, as the settings of the system say."""

from collections.abc import Callable

from pynamodb.exceptions import PynamoDBException

from adapters.stored_settings import SYSTEM, settings_of
from engine.errors import CtsError
from engine.ports import Clock
from engine.settings import DEFAULTS

ASKED_EVERY_MS = 600_000


def log_days(clock: Clock) -> Callable[[], int]:
    """Days, asked of the settings every ten minutes; what they last said if they do not answer."""
    known, asked_ms = DEFAULTS.log_days, 0

    def days() -> int:
        nonlocal known, asked_ms
        if clock.now_ms() - asked_ms >= ASKED_EVERY_MS:
            asked_ms = clock.now_ms()
            try:
                known = settings_of(SYSTEM).settings.log_days
            except (CtsError, PynamoDBException):
                return known
        return known

    return days
