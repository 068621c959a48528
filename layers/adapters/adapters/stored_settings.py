"""Settings an operator changed: versions that are only ever added, and what they make together.

A key has one value. It is the default unless, in this order, the deployment's file, the system's
newest version or the connection's newest version says otherwise. What differs between the trade
modes has a key for each mode, so a mode needs no layer of its own.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from pynamodb.exceptions import PutError, PynamoDBException

from adapters.audited import CHANGED
from adapters.refusals import ConflictError
from adapters.settings_file import file_values
from adapters.tables import SettingsRow
from adapters.transactions import busy, is_refused
from engine.records import StoredSettings
from engine.settings import Settings, checked_values, to_json, with_values

SYSTEM = "system"
FILE = "file"


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """What one source decides: `file`, `system`, or a connection by its id."""

    name: str
    values: Mapping[str, Any]
    version: int = 0
    author: str = ""


def settings_of(connection_id: str) -> StoredSettings:
    """What a connection is to run with.

    Raises
    ------
    StoreBusyError
        If the table cannot be read.
    InvalidSettingError
        If what is stored does not fit this version of CTS.
    """
    return together(layers_of(connection_id))


def layers_of(scope: str) -> tuple[Layer, ...]:
    """The file, the system's newest version and, unless `scope` is the system, the connection's."""
    scopes = (SYSTEM,) if scope == SYSTEM else (SYSTEM, scope)
    return (Layer(name=FILE, values=file_values()), *map(newest_layer, scopes))


def newest_layer(scope: str) -> Layer:
    """The newest version of a scope; version 0 decides nothing."""
    with reading_settings():
        rows = SettingsRow.query(scope, scan_index_forward=False, limit=1, consistent_read=True)
        row = next(iter(rows), None)
    if row is None:
        return Layer(name=scope, values={})
    return Layer(name=scope, values=row.values, version=row.version, author=row.author)


def together(layers: tuple[Layer, ...]) -> StoredSettings:
    """The defaults as the layers change them, the later over the earlier; versions add up."""
    values: dict[str, object] = {}
    for layer in layers:
        values |= layer.values
    version = sum(layer.version for layer in layers)
    return StoredSettings(settings=with_values(Settings(), values), version=version)


def save_settings(scope: str, values: Mapping[str, Any], *, author: str, now_ms: int) -> int:
    """Add a version that replaces all that the scope decides; returns its number.

    Raises
    ------
    InvalidSettingError
        Naming the key, its value and the allowed range.
    ConflictError
        If somebody else added a version at the same moment.
    """
    version = newest_layer(scope).version + 1
    row = version_row(scope, version, values, author=author, now_ms=now_ms)
    try:
        row.save(condition=SettingsRow.version.does_not_exist())
    except PutError as error:
        if is_refused(error):
            raise ConflictError(f"the settings of {scope} were changed", CHANGED) from error
        raise
    return version


def version_row(
    scope: str,
    version: int,
    values: Mapping[str, Any],
    *,
    author: str,
    now_ms: int,
    reason: str | None = None,
) -> SettingsRow:
    """A version to store, its values checked each for itself and as JSON carries them."""
    return SettingsRow(
        scope,
        version,
        values={key: to_json(value) for key, value in checked_values(values).items()},
        created_at_ms=now_ms,
        author=author,
        reason=reason,
    )


@contextmanager
def reading_settings() -> Iterator[None]:
    """Turn whatever keeps the table from answering into StoreBusyError: settings can wait."""
    try:
        yield
    except PynamoDBException as error:
        raise busy("settings", error) from error
