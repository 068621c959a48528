"""What each word of the API means, wherever it stands, with a value as it may look."""

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from pydantic.alias_generators import to_snake

_FILE = Path(__file__).with_name("glossary.toml")
NOTHING = object()


def meaning(name: str) -> str:
    """One sentence on the field or parameter `name`, however it is written; empty if unknown."""
    return str(_entry(name).get("is", ""))


def sample(name: str) -> Any:
    """A value such as `name` has, or NOTHING."""
    return _entry(name).get("like", NOTHING)


def _entry(name: str) -> Mapping[str, Any]:
    """However it is written: `lastUpdate` as `last_update`, `p95` as it is."""
    return _words().get(name) or _words().get(to_snake(name)) or {}


@cache
def _words() -> Mapping[str, Mapping[str, Any]]:
    return tomllib.loads(_FILE.read_text(encoding="utf-8"))
