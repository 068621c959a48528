"""Measures of a burst, as one line of CloudWatch's embedded metric format.

A loop is measured by what it writes anyway: its ticks, its claims, its facts and its heartbeat.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from aws_lambda_powertools import Metrics
from aws_lambda_powertools.metrics import MetricUnit

from adapters import environment
from adapters.store import DynamoStore
from engine.ledger import Order, OrderState
from engine.ports import Clock
from engine.records import Facts, Lease, PositionTicks, TradeTick
from engine.values import Turn, Wish

MINUTE_MS = 60_000
Tick = tuple[int, int, int, int]
"""slot_ms, started_us, finished_us, compute_us"""


@dataclass(slots=True)
class Meter:
    """What one burst came to."""

    ticks: list[Tick] = field(default_factory=list)
    offset_ms: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    orders_sent: int = 0
    unknown: set[str] = field(default_factory=set)
    counts: Mapping[str, int] = field(default_factory=dict)

    def measures(self) -> dict[str, float]:
        """Milliseconds and counts by name; a part that did not happen has no figure."""
        made: dict[str, float] = {
            "Ticks": len(self.ticks),
            "OrdersSent": self.orders_sent,
            "OrdersUnknown": len(self.unknown),
            **{f"Skipped{cause.capitalize()}": count for cause, count in self.skipped.items()},
        }
        if self.ticks:
            offset_us = 1000 * self.offset_ms
            jitter = [started - 1000 * slot - offset_us for slot, started, _, _ in self.ticks]
            made |= _percentiles("Jitter", jitter)
            made |= _percentiles("Compute", [compute for _, _, _, compute in self.ticks])
        if "open_positions" in self.counts:
            opened, bare = self.counts["open_positions"], self.counts.get("unprotected", 0)
            made |= {"OpenPositions": opened, "Protected": opened - bare}
            made["Drift"] = self.counts.get("unreconciled", 0)
        return made


class MeteredStore(DynamoStore):
    """The store, with each write of a loop counted in `meter`; one burst at a time."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self.meter = Meter()

    def write_tick(
        self, lease: Lease, tick: TradeTick, wishes: Sequence[Wish], turns: Sequence[Turn] = ()
    ) -> Lease:
        longer = super().write_tick(lease, tick, wishes, turns)
        self.meter.ticks.append((tick.slot_ms, tick.started_us, tick.finished_us, tick.compute_us))
        self.meter.offset_ms = self.running(lease.connection_id).candle_lateness_ms
        self.meter.skipped.update(tick.skipped)
        return longer

    def write_position_ticks(self, lease: Lease, ticks: PositionTicks) -> Lease:
        longer = super().write_position_ticks(lease, ticks)
        self.meter.ticks += ticks.ticks
        self.meter.skipped.update(ticks.skipped)
        return longer

    def claim(self, lease: Lease, order: Order) -> bool:
        claimed = super().claim(lease, order)
        self.meter.orders_sent += claimed
        return claimed

    def write_facts(self, lease: Lease, facts: Facts) -> None:
        super().write_facts(lease, facts)
        self.meter.unknown |= {
            order.client_order_id for order in facts.orders if order.state is OrderState.UNKNOWN
        }

    def heartbeat(self, lease: Lease, *, counts: Mapping[str, int]) -> None:
        super().heartbeat(lease, counts=counts)
        self.meter.counts = dict(counts)


@contextmanager
def metered(service: str, store: object, connection_id: str) -> Iterator[None]:
    """Measure the burst inside, and write its line at its end, however it ends."""
    if not isinstance(store, MeteredStore):
        yield
        return
    store.meter = Meter()
    try:
        yield
    finally:
        publish(service, store.meter.measures(), connection_id=connection_id)


def publish(service: str, measures: Mapping[str, float], **told: str) -> None:
    """One line with all of them; `told` stands beside them and makes no metric of its own."""
    namespace = environment.optional("POWERTOOLS_METRICS_NAMESPACE") or "cts"
    metrics = Metrics(namespace=namespace, service=service)
    for name, value in measures.items():
        unit = MetricUnit.Milliseconds if name.endswith("Ms") else MetricUnit.Count
        metrics.add_metric(name=name, unit=unit, value=value)
    for name, text in told.items():
        metrics.add_metadata(key=name, value=text)
    metrics.flush_metrics()


@dataclass(slots=True, kw_only=True)
class RequestMeter:
    """Gathers requests of one container and writes a line a minute."""

    service: str
    clock: Clock
    took_us: list[int] = field(default_factory=list)
    failed: int = 0
    since_ms: int = 0

    def add(self, took_us: int, *, failed: bool) -> None:
        """One request; the first after a minute writes what was gathered before."""
        now_ms = self.clock.now_ms()
        self.since_ms = self.since_ms or now_ms
        self.took_us.append(took_us)
        self.failed += failed
        if now_ms - self.since_ms < MINUTE_MS:
            return
        latency = _percentiles("Latency", self.took_us)
        publish(
            self.service,
            {"Requests": len(self.took_us), "RequestsFailed": self.failed, **latency},
        )
        self.took_us, self.failed, self.since_ms = [], 0, now_ms


def _percentiles(name: str, values_us: Sequence[int]) -> dict[str, float]:
    """Nearest rank, in milliseconds."""
    ordered = sorted(values_us)
    return {
        f"{name}P{percent}Ms": ordered[max(0, -(-len(ordered) * percent // 100) - 1)] / 1000
        for percent in (50, 99)
    }
