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
    entry = _words().get(to_snake(name))
    return str(entry["is"]) if entry is not None else ""


def sample(name: str) -> Any:
    """A value such as `name` has, or NOTHING."""
    return _words().get(to_snake(name), {}).get("like", NOTHING)


@cache
def _words() -> Mapping[str, Mapping[str, Any]]:
    return tomllib.loads(_FILE.read_text(encoding="utf-8"))
