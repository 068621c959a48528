"""What the loops cost, as they measured it in the rows they write anyway."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any

from adapters import cycle_views
from adapters.engine_states import Actual, Desired, actual, desired
from adapters.progress_views import offset_ms
from adapters.tables import ConnectionRow, EngineStateRow, ProgressionRow
from engine.cycles.pacing import Cause
from engine.health import Health, overall
from engine.performance import (
    BENCHMARK_SYMBOLS,
    EXPECTED_MS,
    Spread,
    Stage,
    spread,
    stage_health,
    thresholds_ms,
    warnings,
)
from engine.settings import Settings, with_values
from engine.values import Loop

View = dict[str, Any]
EXPECTED_MEMORY_PCT, EXPECTED_CPU_PCT, CPU_WARNING_PCT = 70, 60, 80
_NAMES = {
    Stage.INDICATIONS: "indicationProcessing",
    Stage.STRATEGIES: "strategyProcessing",
    Stage.REALTIME: "realtimeProcessing",
    Stage.DATABASE: "databaseQuery",
}
NO_CPU = "a Lambda has a share of a core and not a machine; see duration and memory instead"
NO_THROTTLES = "counted by AWS alone: the CloudWatch metric Throttles of each function"
_PERCENT = Decimal("0.1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Samples:
    """The latest microseconds of each stage, oldest first, and the workers' memory in MB."""

    stages: dict[Stage, list[int]]
    memory_mb: list[int]
    limit_mb: int | None

    @classmethod
    def of(cls, rows: dict[Loop, list[ProgressionRow]], count: int) -> "Samples":
        """At most `count` of each from rows, newest first."""
        trade = rows[Loop.TRADE][::-1]
        position = rows[Loop.POSITION][::-1]
        written = sorted((*trade, *position), key=lambda row: row.slot_ms)
        told = [row for row in trade if row.indications_us is not None]
        used = [row for row in written if row.memory_mb is not None]
        ticks = (tick for row in position for tick in cycle_views.ticks(row))
        stages = {
            Stage.INDICATIONS: [row.indications_us for row in told],
            Stage.STRATEGIES: [row.compute_us - row.indications_us for row in told],
            Stage.REALTIME: [finished - started for _, started, finished, _ in ticks],
            Stage.DATABASE: [row.store_us for row in written if row.store_us is not None],
        }
        return cls(
            stages={stage: values[-count:] for stage, values in stages.items()},
            memory_mb=[row.memory_mb for row in used][-count:],
            limit_mb=used[-1].memory_limit_mb if used else None,
        )

    @classmethod
    def join(cls, parts: Iterable["Samples"]) -> "Samples":
        """The samples of several engines as if they were one."""
        every = list(parts)
        limits = [one.limit_mb for one in every if one.limit_mb is not None]
        return cls(
            stages={stage: [us for one in every for us in one.stages[stage]] for stage in Stage},
            memory_mb=[mb for one in every for mb in one.memory_mb],
            limit_mb=min(limits, default=None),
        )

    @property
    def spreads(self) -> dict[Stage, Spread]:
        return {stage: spread(values) for stage, values in self.stages.items()}

    @property
    def memory_pct(self) -> Decimal | None:
        """What the newest row's worker used of what it was given."""
        if not self.memory_mb or not self.limit_mb:
            return None
        return (Decimal(100 * self.memory_mb[-1]) / self.limit_mb).quantize(_PERCENT)


def performance(
    row: ConnectionRow, state: EngineStateRow, *, alive: bool, samples: int
) -> tuple[View, Samples]:
    """One engine over the last `samples` rows of each loop, and the samples themselves."""
    settings = with_values(Settings(), state.settings or {})
    rows = cycle_views.latest_of(row.connection_id, samples)
    loops = punctuality(rows, settings)
    taken = Samples.of(rows, samples)
    symbols = len(state.symbols or ())
    components = _components(loops, taken, settings)
    told = {
        "connection_id": row.connection_id,
        "name": row.name,
        "health": _health(state, components, alive=alive),
        "components": components,
        "metrics": metrics(taken, symbols=symbols),
        "thresholds": thresholds(settings),
        "warnings": _warnings(taken, settings),
        "trade_loop": loops[Loop.TRADE],
        "position_loop": loops[Loop.POSITION],
    }
    return told, taken


def punctuality(
    rows: Mapping[Loop, Sequence[ProgressionRow]], settings: Settings
) -> dict[Loop, View]:
    """What each loop costs over these rows, and how it kept its deadlines."""
    return {
        loop: cycle_views.performance(rows[loop], offset_ms=offset_ms(settings, loop))
        for loop in Loop
    }


def metrics(taken: Samples, *, symbols: int) -> View:
    """Every stage beside what is expected of it; what cannot be measured is null with a reason."""
    used = taken.memory_mb
    return {
        **{_NAMES[stage]: _stage(stage, seen) for stage, seen in taken.spreads.items()},
        "memoryUsage": {
            "current_mb": used[-1] if used else None,
            "avg_mb": (Decimal(sum(used)) / len(used)).quantize(_PERCENT) if used else None,
            "max_mb": max(used, default=None),
            "limit_mb": taken.limit_mb,
            "percent": taken.memory_pct,
            "expected_percent": EXPECTED_MEMORY_PCT,
        },
        "cpuUsage": {"percent": None, "expected_percent": EXPECTED_CPU_PCT, "reason": NO_CPU},
        "throttles": {"count": None, "reason": NO_THROTTLES},
        "symbols": symbols,
        "expected_for_symbols": BENCHMARK_SYMBOLS,
    }


def thresholds(settings: Settings) -> View:
    """What is warned of."""
    limits = {_NAMES[stage]: limit for stage, limit in thresholds_ms(settings).items()}
    return {
        **limits,
        "memoryPercent": settings.memory_warning_pct,
        "cpuPercent": CPU_WARNING_PCT,
    }


def _stage(stage: Stage, seen: Spread) -> View:
    expected = EXPECTED_MS.get(stage)
    holds = None if expected is None or seen.avg is None else seen.avg < expected
    return {**asdict(seen), "expected_avg": expected, "as_expected": holds}


def _warnings(taken: Samples, settings: Settings) -> list[View]:
    found = warnings(taken.spreads, taken.memory_pct, settings)
    return [
        {**asdict(one), "message": f"{one.metric}: {one.value} {one.unit} of {one.threshold}"}
        for one in found
    ]


def _components(loops: dict[Loop, View], taken: Samples, settings: Settings) -> View:
    """Each part: a deadline that passed while a tick still ran is a cycle that failed."""
    made = {}
    of_loop = {
        Stage.INDICATIONS: Loop.TRADE,
        Stage.STRATEGIES: Loop.TRADE,
        Stage.REALTIME: Loop.POSITION,
    }
    for stage, loop in of_loop.items():
        seen, ticks = taken.spreads[stage], loops[loop]["ticks"]
        failed = loops[loop]["skipped"].get(Cause.OVERRUN, 0)
        level = stage_health(stage, seen, succeeded=ticks, failed=failed, settings=settings)
        rate = (Decimal(100 * ticks) / (ticks + failed)).quantize(_PERCENT) if ticks else None
        made[stage.value] = {
            "status": level,
            "lastCycleDuration": seen.last,
            "errorCount": failed,
            "successRate": rate,
        }
    return made


def _health(state: EngineStateRow, components: View, *, alive: bool) -> str:
    """`stopped`, or the worst of the parts; a running engine without a live loop is degraded."""
    if desired(state) is Desired.STOPPED:
        return "stopped"
    if actual(state) is Actual.ERROR:
        return Health.UNHEALTHY
    silent = actual(state) is Actual.RUNNING and not alive
    levels: Sequence[Health] = [one["status"] for one in components.values()]
    return overall([*levels, Health.DEGRADED if silent else Health.HEALTHY])
