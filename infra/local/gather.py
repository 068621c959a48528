"""Both sides' books and every stored tick of a run, read for its report."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from adapters.progression import loop_key, unpack_ticks
from adapters.tables import OrderRow, PositionRow, ProgressionRow, TradeRow
from engine.ledger import OrderState, PositionStatus, Purpose
from engine.settings import Settings
from engine.values import Loop
from local.report import Books, LoopRun, Tick, summed

_WORKING = {str(OrderState.OPEN), str(OrderState.PARTIALLY_FILLED)}


@dataclass(frozen=True, slots=True, kw_only=True)
class TradeTotals:
    """Sums over the trade loop's progression rows."""

    counts: Mapping[str, int]
    close_reasons: Mapping[str, int]
    sources: Mapping[str, int]


def our_books(connection_id: str) -> Books:
    """What the store says is on the venue, what it left there as too little to sell included."""
    orders = list(OrderRow.live.query(connection_id, consistent_read=True))
    positions = list(PositionRow.query(connection_id, consistent_read=True))
    fills = TradeRow.query(connection_id, consistent_read=True)
    held = [row for row in positions if row.status not in (None, str(PositionStatus.OPENING))]
    return Books(
        orders={row.client_order_id: "working" for row in orders if row.state in _WORKING},
        fills={f"{row.symbol} {row.trade_id}": row.quantity for row in fills},
        quantities=summed(
            (f"{row.symbol} {row.side}", row.quantity + (row.residue or 0)) for row in held
        ),
        stops=summed(
            (f"{row.symbol} {row.side}", row.quantity - row.filled_quantity)
            for row in orders
            if row.purpose == str(Purpose.STOP) and row.state in _WORKING
        ),
    )


def venue_books(books: Mapping[str, Any]) -> Books:
    """The same from the paper exchange's own books (its control port's answer)."""
    orders, algos = books["open_orders"], books["open_algo_orders"]
    stops = [one for one in orders if one["closes"]]
    stops += [one for one in algos if one["type"] == "STOP_MARKET"]
    return Books(
        orders={o["client_order_id"]: "working" for o in (*orders, *algos)},
        fills={f"{t['symbol']} {t['printed_id']}": Decimal(t["quantity"]) for t in books["trades"]},
        quantities=summed(
            (f"{p['symbol']} {p['side']}", Decimal(p["quantity"])) for p in books["positions"]
        ),
        stops=summed(
            (f"{o['symbol']} {o['closes']}", Decimal(o["quantity"]) - Decimal(o.get("filled", 0)))
            for o in stops
        ),
    )


def order_counts(connection_id: str) -> dict[str, int]:
    """How many intents there were, and what became of them."""
    states = [row.state for row in OrderRow.query(connection_id, consistent_read=True)]
    return {
        "intents": len(states),
        "filled": states.count(str(OrderState.FILLED)),
        "unknown": states.count(str(OrderState.UNKNOWN)),
        "rejected": states.count(str(OrderState.REJECTED)),
    }


def trade_run(connection_id: str, settings: Settings) -> tuple[LoopRun, TradeTotals]:
    """The trade loop's ticks, and what they counted."""
    rows = list(ProgressionRow.query(loop_key(connection_id, Loop.TRADE), consistent_read=True))
    run = LoopRun(
        interval_ms=int(settings.trade_interval_s * 1000),
        offset_ms=settings.candle_lateness_ms,
        lease_ms=settings.lease_ms,
        ticks=[
            Tick(
                slot_ms=row.slot_ms,
                started_us=row.started_us,
                finished_us=row.finished_us,
                compute_us=row.compute_us,
                token=row.fencing_token,
                taken_us=row.taken_us or 0,
                anew=bool(row.began_anew),
            )
            for row in rows
        ],
        skipped=totals(row.skipped for row in rows),
    )
    return run, TradeTotals(
        counts=totals(row.counts or {} for row in rows),
        close_reasons=totals(row.close_reasons or {} for row in rows),
        sources=totals({row.source: 1} for row in rows),
    )


def position_run(connection_id: str, settings: Settings) -> LoopRun:
    """The position loop's ticks, unpacked from its journal."""
    rows = list(ProgressionRow.query(loop_key(connection_id, Loop.POSITION), consistent_read=True))
    ticks = []
    for row in rows:
        for index, (slot, started, finished, compute) in enumerate(unpack_ticks(row.ticks)):
            ticks.append(
                Tick(
                    slot_ms=slot,
                    started_us=started,
                    finished_us=finished,
                    compute_us=compute,
                    token=row.fencing_token,
                    taken_us=(row.taken_us or 0) if index == 0 else 0,
                    anew=bool(row.began_anew) and index == 0,
                )
            )
    return LoopRun(
        interval_ms=int(settings.position_interval_s * 1000),
        offset_ms=0,
        lease_ms=settings.lease_ms,
        ticks=ticks,
        skipped=totals(row.skipped for row in rows),
    )


def totals(maps: Iterable[Mapping[str, int]]) -> dict[str, int]:
    """Sums by key."""
    summed_up: dict[str, int] = {}
    for one in maps:
        for key, count in one.items():
            summed_up[key] = summed_up.get(key, 0) + count
    return summed_up
