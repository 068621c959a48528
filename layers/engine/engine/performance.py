"""Stages of the loops against what they may take: spreads, warnings, expectations, health."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from engine.health import Health, component_health
from engine.settings import Settings

_THOUSANDTH = Decimal("0.001")
BENCHMARK_SYMBOLS = 100
"""The expectations are for so many symbols, and hold for fewer of them all the more."""


class Stage(StrEnum):
    """What is measured of every tick."""

    INDICATIONS = "indications"
    STRATEGIES = "strategies"
    REALTIME = "realtime"
    DATABASE = "database"


EXPECTED_MS: Mapping[Stage, int] = {
    Stage.INDICATIONS: 3_000,
    Stage.STRATEGIES: 3_000,
    Stage.REALTIME: 1_000,
}
"""What a stage is expected to take on average with `BENCHMARK_SYMBOLS`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """Some samples in milliseconds; percentiles by nearest rank, all None without a sample."""

    samples: int
    last: Decimal | None = None
    avg: Decimal | None = None
    min: Decimal | None = None
    max: Decimal | None = None
    p50: Decimal | None = None
    p95: Decimal | None = None
    p99: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Warning:
    """A stage that took longer than it may, in milliseconds, or a worker that used more, in %."""

    metric: str
    value: Decimal
    threshold: Decimal
    unit: str


def spread(values_us: Sequence[int]) -> Spread:
    """The spread of some microseconds, the newest last."""
    if not values_us:
        return Spread(samples=0)
    ordered = sorted(values_us)
    return Spread(
        samples=len(ordered),
        last=_ms(values_us[-1]),
        avg=_ms(Decimal(sum(ordered)) / len(ordered)),
        min=_ms(ordered[0]),
        max=_ms(ordered[-1]),
        p50=_ms(_rank(ordered, 50)),
        p95=_ms(_rank(ordered, 95)),
        p99=_ms(_rank(ordered, 99)),
    )


def thresholds_ms(settings: Settings) -> dict[Stage, int]:
    """How long each stage may take before it is warned of."""
    return {
        Stage.INDICATIONS: settings.indications_cycle_s * 1000,
        Stage.STRATEGIES: settings.strategies_cycle_s * 1000,
        Stage.REALTIME: settings.realtime_cycle_s * 1000,
        Stage.DATABASE: settings.database_query_ms,
    }


def warnings(
    stages: Mapping[Stage, Spread], memory_pct: Decimal | None, settings: Settings
) -> list[Warning]:
    """Every stage whose newest sample or mean is past its threshold, and the memory."""
    found = []
    for stage, limit_ms in thresholds_ms(settings).items():
        seen = stages.get(stage)
        if seen is None or seen.last is None or seen.avg is None:
            continue
        worst = max(seen.last, seen.avg)
        if worst > limit_ms:
            limit = Decimal(limit_ms)
            found.append(Warning(metric=stage, value=worst, threshold=limit, unit="ms"))
    most = Decimal(settings.memory_warning_pct)
    if memory_pct is not None and memory_pct > most:
        found.append(Warning(metric="memory", value=memory_pct, threshold=most, unit="%"))
    return found


def stage_health(
    stage: Stage, seen: Spread, *, succeeded: int, failed: int, settings: Settings
) -> Health:
    """Level of one stage by its newest sample and by how many ticks kept their deadline."""
    return component_health(
        cycle_ms=int(seen.last or 0),
        threshold_ms=thresholds_ms(settings)[stage],
        succeeded=succeeded,
        failed=failed,
    )


def _rank(ordered: Sequence[int], percent: int) -> int:
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)]


def _ms(microseconds: int | Decimal) -> Decimal:
    return (Decimal(microseconds) / 1000).quantize(_THOUSANDTH)
