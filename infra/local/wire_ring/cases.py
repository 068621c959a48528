"""What a case does to the twin: drawn from a seed, so that a case can be done again."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from engine.values import Exits, Side

RuleJson = dict[str, Any]
KILL_EVERY = 8
"""Every so many cases somebody is killed: a lease must then run out before its successor acts."""
_KILLED = ("position-tick", "trade-tick", "the paper exchange", "position-tick")
_WIDE = Exits(take_profit_pct=Decimal(5), stop_loss_pct=Decimal(3))
_NARROW = Exits(take_profit_pct=Decimal("0.15"), stop_loss_pct=Decimal("0.1"))
_TRAILING = Exits(
    take_profit_pct=Decimal(5),
    stop_loss_pct=Decimal("0.5"),
    trail_start_pct=Decimal("0.1"),
    trail_stop_pct=Decimal("0.1"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A position to ask for."""

    symbol: str
    side: Side
    exits: Exits


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One case: wishes among faults, and perhaps a kill; times are seconds from its begin.

    `rules` are the fault plan's, as its control port takes them; `kills` is a Lambda function, a
    process of the twin, or empty; with `closes` everything held is closed amid it.
    """

    number: int
    wanted: tuple[Wanted, ...]
    rules: tuple[RuleJson, ...]
    storm_s: float
    kills: str = ""
    kill_after_s: float = 0.0
    closes: bool = False


def drawn(seed: int, number: int, symbols: Sequence[str], *, sides: Sequence[Side]) -> Case:
    """Case `number` of a seed: a pure function of its arguments."""
    dice = random.Random(f"{seed}/{number}")
    kills = _KILLED[number // KILL_EVERY % len(_KILLED)] if number % KILL_EVERY == 3 else ""
    picked = dice.sample(_RULES, dice.randint(1, 3))
    return Case(
        number=number,
        wanted=tuple(
            Wanted(
                symbol=dice.choice(symbols),
                side=dice.choice(sides),
                exits=dice.choice((_WIDE, _NARROW, _TRAILING)),
            )
            for _ in range(dice.randint(1, 2))
        ),
        rules=tuple(picked),
        storm_s=dice.uniform(2.0, 4.0),
        kills=kills,
        kill_after_s=dice.uniform(0.2, 1.5),
        closes=dice.random() < 0.3,
    )


def _often(fault: str, chance: float, **parameters: Any) -> RuleJson:
    return {"fault": fault, "chance": chance, "with": parameters}


# What a venue and a network do to a client in seconds. Bans are short, for a case is short.
_RULES: tuple[RuleJson, ...] = (
    _often("accept_then_hang", 0.1),
    _often("accept_then_abort", 0.15),
    _often("hang", 0.05),
    _often("abort", 0.15),
    _often("delay", 0.3, request_ms=300, answer_ms=300),
    _often("rate_limit", 0.1, retry_after_ms=1_000),
    {"fault": "ban", "chance": 0.03, "most": 1, "with": {"for_ms": 2_000}},
    _often("forbidden", 0.05),
    _often("internal_error", 0.1),
    _often("bad_gateway", 0.1),
    _often("unknown_result", 0.15),
    _often("overloaded", 0.15),
    _often("timeout", 0.1),
    {"fault": "maintenance", "chance": 0.05, "most": 1, "with": {"for_ms": 1_500}},
    _often("not_found_for", 0.5, times=2),
    _often("malformed", 0.05, how="truncated"),
    _often("malformed", 0.05, how="garbage"),
    _often("drop", 0.3),
    _often("duplicate", 0.5),
    _often("delay_frame", 0.5, by_ms=800),
    _often("reorder", 0.3, by=2),
    {"fault": "mute", "topic": "private*", "chance": 1.0, "with": {"for_ms": 3_000}},
    _often("malformed_frame", 0.02),
    {"fault": "close", "chance": 0.1, "most": 2, "with": {"code": 1001}},
    {"fault": "abort_socket", "chance": 0.1, "most": 2, "with": {}},
    {"fault": "expire_session", "chance": 0.1, "most": 1, "with": {}},
    {
        "fault": "partial_fill",
        "chance": 0.7,
        "with": {"schedule": [[40.0, 0], [60.0, 400]]},
    },
)
