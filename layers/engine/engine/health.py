"""Whether a part of an engine keeps up: judged by its newest cycle and by how many succeed."""

from collections.abc import Iterable
from enum import StrEnum

_SLOW, _STUCK = 2, 3  # times the threshold
_RARELY_PCT, _OFTEN_PCT = 95, 80


class Health(StrEnum):
    """Levels, best first."""

    HEALTHY = "healthy"
    DEGRADED = "degraded"
    UNHEALTHY = "unhealthy"


def component_health(
    *, cycle_ms: int, threshold_ms: int, succeeded: int = 1, failed: int = 0
) -> Health:
    """Level of one component.

    A newest cycle of more than twice the threshold, or fewer than 95 % of the cycles successful,
    degrades; more than three times, or fewer than 80 %, is unhealthy. Without any cycle yet only
    its time counts.
    """
    success = 100 * succeeded
    cycles = succeeded + failed
    if cycle_ms > _STUCK * threshold_ms or success < _OFTEN_PCT * cycles:
        return Health.UNHEALTHY
    if cycle_ms > _SLOW * threshold_ms or success < _RARELY_PCT * cycles:
        return Health.DEGRADED
    return Health.HEALTHY


def overall(levels: Iterable[Health]) -> Health:
    """The worst level; healthy without any."""
    return max(levels, key=tuple(Health).index, default=Health.HEALTHY)
