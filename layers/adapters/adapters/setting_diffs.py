"""What a change of settings means: which values differ, from when they count, what is critical."""

from collections.abc import Mapping
from typing import Any

from engine.setting import Effect, Setting
from engine.settings import Settings, schema, to_json, value_of

View = dict[str, Any]


def changes(before: Settings, after: Settings) -> list[View]:
    """Every key whose value differs: old, new, when it counts, and whether it is critical."""
    return [
        {
            "key": key,
            "old": to_json(value_of(before, key)),
            "new": to_json(value_of(after, key)),
            "effect": about.effect.value,
            "critical": is_critical(about),
        }
        for key, about in schema().items()
        if value_of(before, key) != value_of(after, key)
    ]


def decided(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, list[Any]]:
    """What a scope decides otherwise than before: key -> [old, new], None where it did not."""
    keys = sorted(before.keys() | after.keys())
    pairs = {key: [before.get(key), after.get(key)] for key in keys}
    return {key: pair for key, pair in pairs.items() if pair[0] != pair[1]}


def is_critical(about: Setting) -> bool:
    """Whether it changes pace, sizes or what runs at all, or what the account may lose."""
    return about.effect in {Effect.BURST, Effect.START} or about.tab == "risk"


def needs_start(changed: list[View]) -> list[str]:
    """The keys of `changes` that count only after the engine was stopped and started."""
    return [one["key"] for one in changed if one["effect"] == Effect.START.value]
