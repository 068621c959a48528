"""Figures of closed positions against a plain computation, one figure after the other."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.samples import a_key

from engine.analytics import (
    FACTOR_HOURS,
    HOUR_MS,
    PNL_HOURS,
    WINDOWS,
    Ended,
    Stretch,
    drawdown_time_ms,
    figures,
)

NONE = Decimal(0)
DIGITS = Decimal("0.0001")
KEY = a_key()
NOW_MS = 1_760_000_000_000


def plain(ended: Sequence[Ended], stretch: Stretch) -> dict[str, Any]:
    """Every figure from the whole list."""
    nets = [one.net for one in ended]
    wins, losses = [n for n in nets if n > 0], [n for n in nets if n < 0]
    held = [one.closed_at_ms - one.opened_at_ms for one in ended if one.opened_at_ms]
    fallen = max(
        (max([NONE, *sums(nets)[: n + 1]]) - s for n, s in enumerate(sums(nets))), default=NONE
    )
    return {
        "closed": len(nets),
        "wins": len(wins),
        "losses": len(losses),
        "net": sum(nets, NONE),
        "fees": sum((one.fees for one in ended), NONE),
        "win_rate": ratio(Decimal(100 * len(wins)), len(nets)),
        "profit_factor": factor(nets),
        "avg_win": mean(wins),
        "avg_loss": mean(losses),
        "expectancy": mean(nets),
        "expectancy_r": mean([one.r for one in ended if one.r is not None]),
        "best": max(nets, default=None),
        "worst": min(nets, default=None),
        "max_drawdown": max(NONE, fallen),
        "recovery_factor": ratio(sum(nets, NONE), max(NONE, fallen)),
        "drawdown_time_ms": drawdown_time_ms(ended[-120:]),
        "max_consecutive_losses": longest(nets),
        "trades_per_day": ratio(Decimal(len(nets)), stretch.days),
        "avg_hold_ms": round(sum(held) / len(held)) if held else None,
        "last": {count: window(ended, count) for count in WINDOWS},
        "profit_factor_20h": factor(within(ended, stretch, FACTOR_HOURS)),
        "pnl_hours": {hours: sum(within(ended, stretch, hours), NONE) for hours in PNL_HOURS},
    }


def sums(nets: Sequence[Decimal]) -> list[Decimal]:
    return [sum(nets[: n + 1], NONE) for n in range(len(nets))]


def within(ended: Sequence[Ended], stretch: Stretch, hours: int) -> list[Decimal]:
    return [one.net for one in ended if one.closed_at_ms > stretch.to_ms - hours * HOUR_MS]


def window(ended: Sequence[Ended], count: int) -> dict[str, Any] | None:
    if len(ended) < count:
        return None
    nets = [one.net for one in ended[-count:]]
    return {
        "results": count,
        "net": sum(nets, NONE),
        "win_rate": (Decimal(100 * sum(net > 0 for net in nets)) / count).quantize(DIGITS),
        "profit_factor": factor(nets),
        "avg_r": mean([one.r for one in ended[-count:] if one.r is not None]),
    }


def factor(nets: Iterable[Decimal]) -> Decimal | None:
    known = list(nets)
    return ratio(sum((n for n in known if n > 0), NONE), -sum((n for n in known if n < 0), NONE))


def longest(nets: Sequence[Decimal]) -> int:
    runs = [0]
    for net in nets:
        runs.append(runs[-1] + 1 if net < 0 else 0)
    return max(runs)


def mean(values: Sequence[Decimal]) -> Decimal | None:
    return ratio(sum(values, NONE), len(values))


def ratio(part: Decimal, whole: Decimal | int) -> Decimal | None:
    return (part / whole).quantize(DIGITS) if whole else None


MONEY = st.decimals(min_value=-50, max_value=50, places=2)
RESULTS = st.lists(
    st.tuples(MONEY, st.none() | MONEY, st.integers(0, 5 * HOUR_MS), st.booleans()), max_size=130
)


@settings(max_examples=60)
@given(RESULTS)
def test_figures_are_those_of_a_plain_computation(
    results: list[tuple[Decimal, Decimal | None, int, bool]],
) -> None:
    closed_ms, ended = NOW_MS, []
    for net, r, gap_ms, has_opening in results:
        ended.append(
            Ended(
                key=KEY,
                net=net,
                fees=abs(net) / 100,
                r=r,
                opened_at_ms=closed_ms - 90_000 if has_opening else 0,
                closed_at_ms=closed_ms,
            )
        )
        closed_ms -= gap_ms
    ended.reverse()
    stretch = Stretch(from_ms=NOW_MS - 60 * 24 * HOUR_MS, to_ms=NOW_MS)

    assert asdict(figures(ended, stretch)) == plain(ended, stretch)


class Passed(list[Ended]):
    """Results that count how often somebody walks through all of them."""

    passes = 0

    def __iter__(self) -> Iterator[Ended]:
        Passed.passes += 1
        return super().__iter__()


def test_figures_of_last_results_and_hours_do_not_walk_through_all_results() -> None:
    ended = Passed(
        Ended(
            key=KEY,
            net=Decimal(number),
            fees=NONE,
            r=None,
            opened_at_ms=0,
            closed_at_ms=NOW_MS + number * HOUR_MS,
        )
        for number in range(100)
    )

    told = figures(ended, Stretch(from_ms=NOW_MS, to_ms=NOW_MS + 99 * HOUR_MS))

    assert told.pnl_hours[4] == 96 + 97 + 98 + 99
    assert told.profit_factor_20h is None
    assert Passed.passes <= 4
