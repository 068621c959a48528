"""One entry of the log: what happened, how bad it is, where; never a secret."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

MAX_VALUES = 20
MAX_CHARACTERS = 300
"""Of one value: an answer of a venue may be long."""

_SECRET_NAME = re.compile(
    r"api_?key|secret|passphrase|password|signature|authorization|token$|credential", re.IGNORECASE
)
_SECRET_TEXT = re.compile(
    r"""(?ix) ( (?:api[-_]?key|secret|passphrase|password|signature|sign|(?:access|bot)?[-_]?token
        |authorization) ["']? \s* [=:] \s* ["']? (?:bearer\s+)? | bearer\s+ | /bot (?=\d+:) )
        [^\s"'&,;}]+"""
)


class Level(StrEnum):
    """How bad it is, least first."""

    DEBUG = "debug"
    INFO = "info"
    WARN = "warn"
    ERROR = "error"


class Category(StrEnum):
    """Which part it is about."""

    SYSTEM = "system"
    TRADE_ENGINE = "trade-engine"
    API = "api"
    DATABASE = "database"
    CONNECTION = "connection"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """`count` more of the same kind stand behind the one whose values are kept, itself included.

    `needs_eyes` makes an alert of it; `correlation_id` names the burst, run or request.
    """

    at_ms: int
    level: Level
    category: Category
    message: str
    values: Mapping[str, str]
    connection_id: str = ""
    correlation_id: str = ""
    count: int = 1
    needs_eyes: bool = False

    @property
    def kind(self) -> tuple[str, ...]:
        """What entries must share to be counted as one kind."""
        return (self.connection_id, self.level, self.category, self.message)


# Facts that tell of trouble which the loops get over by themselves.
WARNINGS = frozenset(
    {
        "add_refused",
        "burst given up",
        "books learned anew",
        "candles refused",
        "entry_failed",
        "errand failed",
        "order_doubted",
        "order_unknown",
        "orphan_cancelled",
        "out_of_sync",
        "position loop not woken",
        "prepare_refused",
        "snapshot_failed",
        "unguarded_symbol",
    }
)
_CATEGORIES = {
    "burst given up": Category.DATABASE,
    "tick not written": Category.DATABASE,
    "request limits are not shared": Category.DATABASE,
    "a market stream was shed": Category.CONNECTION,
    "candles are gaps": Category.CONNECTION,
    "candles refused": Category.CONNECTION,
    "errand failed": Category.CONNECTION,
    "snapshot_failed": Category.CONNECTION,
    "symbols not tradable": Category.CONNECTION,
}


def category_of(message: str, otherwise: Category) -> Category:
    """Which part a fact or problem of the engine is about."""
    return _CATEGORIES.get(message, otherwise)


def level_of(message: str, *, is_problem: bool) -> Level:
    """How bad a fact or problem of the engine is."""
    if is_problem:
        return Level.ERROR
    return Level.WARN if message in WARNINGS else Level.INFO


def safe_values(values: Mapping[str, object]) -> dict[str, str]:
    """Values as short texts, with whatever looks like a secret blotted out."""
    kept = list(values.items())[:MAX_VALUES]
    return {
        name: "***" if _SECRET_NAME.search(name) else safe_text(value)
        for name, value in ((str(name)[:60], value) for name, value in kept)
    }


def safe_text(value: object) -> str:
    """A value as a short text, without what looks like a secret in it."""
    return _SECRET_TEXT.sub(r"\1***", str(value)[: 4 * MAX_CHARACTERS])[:MAX_CHARACTERS]


def to_json(entry: Entry) -> dict[str, Any]:
    """An entry as it is packed; what is as usual is left out."""
    made: dict[str, Any] = {
        "t": entry.at_ms,
        "l": entry.level.value,
        "c": entry.category.value,
        "m": entry.message,
    }
    for name, value, usual in (
        ("v", dict(entry.values), {}),
        ("i", entry.correlation_id, ""),
        ("n", entry.count, 1),
        ("e", entry.needs_eyes, False),
    ):
        if value != usual:
            made[name] = value
    return made


def from_json(values: Mapping[str, Any], connection_id: str) -> Entry:
    """The entry that `to_json` made."""
    return Entry(
        at_ms=values["t"],
        level=Level(values["l"]),
        category=Category(values["c"]),
        message=values["m"],
        values=values.get("v", {}),
        connection_id=connection_id,
        correlation_id=values.get("i", ""),
        count=values.get("n", 1),
        needs_eyes=values.get("e", False),
    )
