"""Settings of a deployment: a TOML file that stands over the defaults and under what is stored.

`CTS_SETTINGS_FILE` names it; without that it is `settings.toml` beside this module. Keys stand at
the top or under the name of their tab; it is read once for each process.
"""

import os
import tomllib
from collections.abc import Iterator, Mapping
from decimal import Decimal
from functools import cache
from pathlib import Path

from engine.errors import InvalidSettingError
from engine.settings import Settings, schema, with_values

VARIABLE = "CTS_SETTINGS_FILE"
PACKAGED = Path(__file__).with_name("settings.toml")


def file_values() -> Mapping[str, object]:
    """What the file changes, by key, checked.

    Raises
    ------
    InvalidSettingError
        Naming the file, and every key with its value and what is allowed; or why it is no TOML.
    """
    named = os.environ.get(VARIABLE)
    return values_of(Path(named) if named else PACKAGED)


@cache
def values_of(path: Path) -> Mapping[str, object]:
    """The same of one file; raises like `file_values`."""
    try:
        read = tomllib.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InvalidSettingError(f"settings file {path}: {error}") from error
    tabs = {about.tab for about in schema().values()}
    values: dict[str, object] = {}
    problems: list[tuple[str, str]] = []
    for tab, key, value in _entries(read, tabs):
        about = schema().get(key)
        if about is not None and tab and about.tab != tab:
            problems.append((key, f"setting {key} belongs under [{about.tab}], not [{tab}]"))
        elif key in values:
            problems.append((key, f"setting {key} is given twice"))
        values[key] = value
    try:
        with_values(Settings(), values)
    except InvalidSettingError as error:
        problems += error.problems
    if problems:
        told = "; ".join(text for _, text in problems)
        raise InvalidSettingError(f"settings file {path}: {told}", tuple(problems))
    return values


def _entries(table: Mapping[str, object], tabs: set[str]) -> Iterator[tuple[str, str, object]]:
    """Tab, key and value; a dotted key may be written as TOML reads it, as tables."""
    for name, value in table.items():
        if isinstance(value, dict) and name in tabs:
            yield from ((name, key, found) for key, found in _flat(value))
        else:
            yield from (("", key, found) for key, found in _flat({name: value}))


def _flat(table: Mapping[str, object], before: str = "") -> Iterator[tuple[str, object]]:
    for name, value in table.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{before}{name}.")
        else:
            yield f"{before}{name}", value
